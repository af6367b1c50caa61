{{ config(materialized='view') }}

with experiment_outcomes as (
    select * from {{ ref('experiment_outcomes') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

person_values as (
    select
        experiment_outcomes.experiment_id,
        experiment_outcomes.person_id,
        experiment_outcomes.arm,
        experiment_outcomes.tenure_before,
        experiment_outcomes.purchases_before,
        experiment_outcomes.fatigue_before,
        metrics.metric,
        metrics.family,
        metrics.is_capped,
        {{ metric_value('value') }} as uncapped_value,
        {{ metric_value('per') }} as denominator,
        coalesce({{ metric_value('covariate') }}, 0) as covariate,
        experiment_outcomes.is_delivered
    from experiment_outcomes
    cross join metrics
),

-- One cap over all arms, or the cap itself would make a difference.
caps as (
    select
        experiment_id,
        metric,
        cast(
            percentile_cont({{ var('cap_quantile') }}) within group (
                order by uncapped_value
            ) as decimal(16, 4)
        ) as cap
    from person_values
    where is_capped and uncapped_value > 0
    group by experiment_id, metric
),

final as (
    select
        person_values.experiment_id,
        person_values.person_id,
        person_values.arm,
        person_values.metric,
        person_values.family,
        person_values.tenure_before,
        person_values.purchases_before,
        person_values.fatigue_before,

        case
            when person_values.uncapped_value > caps.cap then caps.cap
            else person_values.uncapped_value
        end as value,
        caps.cap,
        person_values.denominator,
        person_values.covariate,
        person_values.is_delivered
    from person_values
    left join caps
        on
            person_values.experiment_id = caps.experiment_id
            and person_values.metric = caps.metric
    where person_values.uncapped_value is not null
)

select * from final
