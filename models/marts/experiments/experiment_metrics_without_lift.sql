-- Without a holdout arms are held against each other, and that is no lift. Too early is no refusal:
-- the arms are there, and nobody's window is over yet.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
),

splits as (
    select * from {{ ref('experiment_splits') }}
),

estimated as (
    select
        experiment_id,
        metric
    from {{ ref('experiment_estimates') }}
    group by experiment_id, metric
),

final as (
    select
        experiments.experiment_id,
        metrics.metric,
        metrics.family,
        experiments.window_hours,
        case
            when refusals.experiment_id is not null then 'refused'
            when splits.has_no_control_arm then 'no verdict'
            else 'too early'
        end as verdict,
        case
            when refusals.experiment_id is not null then refusals.reason
            when splits.has_no_control_arm
                then 'no holdout, no lift: arms are held against each other alone, by between_arms'
            else 'nobody''s window is over yet, or what it needs is not loaded so far'
        end as reason
    from experiments
    cross join metrics
    left join splits
        on experiments.experiment_id = splits.experiment_id
    left join refusals
        on
            experiments.experiment_id = refusals.experiment_id
            and metrics.metric = refusals.metric
    left join estimated
        on
            experiments.experiment_id = estimated.experiment_id
            and metrics.metric = estimated.metric
    where estimated.experiment_id is null or splits.has_no_control_arm
)

select * from final
