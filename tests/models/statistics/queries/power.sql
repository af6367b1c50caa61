select
    {{ minimum_detectable_effect('deviation', 'n_c', 'n_t', 0.8) }} as detectable,
    {{ people_for_rates('rate_c', 'rate_t', 'ratio', 0.8) }} as people_for_rates,
    {{ people_for_means('deviation', 'difference', 'ratio', 0.8) }} as people_for_means
from arguments
order by i
