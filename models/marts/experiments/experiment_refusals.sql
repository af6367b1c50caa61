{{ config(materialized='view') }}

-- What an experiment's health forbids is not shown at all: a number that may not be believed
-- would be.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

vetoes as (
    select
        experiment_id,
        vetoes,
        detail,
        case vetoes when 'all metrics' then 0 else 20 end
        + case check_name
            when 'recognised_arms' then 0
            when 'random_holdout' then 1
            when 'sample_ratio' then 2
            when 'sample_ratio_arms' then 3
            when 'sample_ratio_daily' then 4
            when 'sample_ratio_arms_daily' then 5
            when 'sample_ratio_segments' then 6
            when 'missing_ghosts' then 7
            when 'leakage' then 8
            when 'trapped_messages' then 9
            when 'mixed_arms' then 10
            else 11
        end as gravity
    from {{ ref('experiment_health') }}
    where vetoes is not null
),

final as (
    select
        experiments.experiment_id,
        metrics.metric,
        metrics.family,
        experiments.window_hours,
        min_by(vetoes.detail, vetoes.gravity) as reason
    from experiments
    cross join metrics
    inner join vetoes
        on
            experiments.experiment_id = vetoes.experiment_id
            and (
                vetoes.vetoes = 'all metrics'
                or (vetoes.vetoes = 'money metrics' and metrics.is_money)
                or (vetoes.vetoes = 'margin metrics' and metrics.is_margin)
            )
    group by
        experiments.experiment_id,
        metrics.metric,
        metrics.family,
        experiments.window_hours
)

select * from final
