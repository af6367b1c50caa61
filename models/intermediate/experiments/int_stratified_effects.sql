{{ config(materialized='view') }}

-- Habits of buying are what outcomes differ by most, so they are the strata.
with strata as (
    select
        *,
        people_t + people_c as stratum_people,
        sum(people_t + people_c) over (
            partition by experiment_id, arm, control_arm, metric
        ) as all_people
    from {{ ref('int_experiment_differences') }}
    where segment like 'orders before: %' and comparison = 'holdout' and kind <> 'ratio'
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        {{ sum_in_order('effect * stratum_people / nullif(all_people, 0)', 'segment') }}
            as stratified_effect,
        -- A stratum without a spread of its own cannot be weighed, so there is no sum either.
        case
            when count(standard_error) = count(*)
                then sqrt({{ sum_in_order(
                    'power(standard_error * stratum_people / nullif(all_people, 0), 2)', 'segment'
                ) }})
        end as stratified_standard_error
    from strata
    group by experiment_id, arm, control_arm, metric
)

select * from final
