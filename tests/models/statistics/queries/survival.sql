with {{ survival_results('answers', 'arguments', 'arm', 'duration', 'horizon') }}

select
    *,
    exits - events as censored,
    {{ survival_low('survival', 'greenwood') }} as ci_low,
    {{ survival_high('survival', 'greenwood') }} as ci_high
from answers
order by i
