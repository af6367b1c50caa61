with effective as (
    select
        i,
        cast(successes as double) / trials as rate,
        {{ effective_trials('people', 'successes', 'trials', 'ss', 'tt', 'st') }} as n
    from arguments
)

select
    n,
    {{ wilson_low('rate * n', 'n') }} as low,
    {{ wilson_high('rate * n', 'n') }} as high
from effective order by i
