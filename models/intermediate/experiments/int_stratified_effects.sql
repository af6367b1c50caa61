{{ config(materialized='view') }}

-- Habits of buying are what outcomes differ by most, so they are the strata.
with strata as (
    select
        *,
        people_t + people_c as stratum_people
    from {{ ref('int_experiment_differences') }}
    where segment like 'orders before: %' and comparison = 'holdout' and kind <> 'ratio'
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        {{ stratified_effect('effect', 'stratum_people', 'segment') }} as stratified_effect,
        {{ stratified_standard_error('standard_error', 'stratum_people', 'segment') }}
            as stratified_standard_error
    from strata
    group by experiment_id, arm, control_arm, metric
)

select * from final
