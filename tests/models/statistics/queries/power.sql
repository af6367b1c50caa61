with planned as (
    select
        *,
        {{ planned_error_of_means('deviation', 'n_c', 'n_t') }} as error_of_means,
        {{ planned_error_of_rates('rate_c', 'rate_t', 'n_c', 'n_t') }} as error_of_rates,
        {{ people_for_rates('rate_c', 'rate_t', 'ratio', 0.8) }} as people_for_rates
    from arguments
)

select
    {{ minimum_detectable_effect('deviation', 'n_c', 'n_t', 0.8) }} as detectable,
    {{ minimum_detectable_effect('deviation', 'n_c', 'n_t', 0.8) }}
    / {{ minimum_detectable_effect('deviation', 'n_c', 'n_c', 0.8) }} as over_as_many,
    people_for_rates,
    ceil(people_for_rates) as people_c,
    ceil(people_for_rates * ratio) as people_t,
    ceil(people_for_rates) + ceil(people_for_rates * ratio) as people,
    {{ people_for_means('deviation', 'difference', 'ratio', 0.8) }} as people_for_means,
    {{ chance_to_find('difference', 'error_of_means') }} as found_means,
    {{ chance_to_find('difference', 'error_of_means') }}
    + {{ chance_to_find('-difference', 'error_of_means') }} as found_on_either_side,
    {{ chance_to_find('rate_t - rate_c', 'error_of_rates') }} as found_rates
from planned
order by i
