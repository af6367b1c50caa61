-- What an experiment can see: with the people it has, the smallest change it would find; for the
-- change it is planned for, the people it takes and how long until they are there.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_statistics as (
    select * from {{ ref('experiment_statistics') }}
    where segment = 'all'
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

control_arms as (
    select
        experiment_id,
        arm
    from {{ ref('experiment_arms') }}
    where is_control
    group by experiment_id, arm
),

enrolment as (
    select
        experiment_id,
        sum(control_people + treated_people) as people,
        sum(control_people + treated_people) filter (
            where enrolled_on > {{ local_date(as_of()) }} - interval 28 day
        ) / 4.0 as people_per_week
    from {{ ref('experiment_enrolment_daily') }}
    group by experiment_id
),

-- The holdout shows how people are without the messages.
baselines as (
    select
        experiment_statistics.experiment_id,
        experiment_statistics.metric,
        sum(experiment_statistics.people) as people,
        sum(experiment_statistics.sum_y) as sum_y,
        sum(experiment_statistics.sum_yy) as sum_yy
    from experiment_statistics
    inner join control_arms
        on
            experiment_statistics.experiment_id = control_arms.experiment_id
            and experiment_statistics.arm = control_arms.arm
    group by experiment_statistics.experiment_id, experiment_statistics.metric
),

measured as (
    select
        experiments.experiment_id,
        experiments.primary_metric as metric,
        metrics.kind,
        experiments.window_hours,
        experiments.ends_at,
        experiments.holdout_share,
        {{ sample_mean('baselines.people', 'baselines.sum_y') }} as baseline_mean,
        sqrt({{ sample_variance('baselines.people', 'baselines.sum_y', 'baselines.sum_yy') }})
            as baseline_deviation,
        coalesce(enrolment.people, 0) as people,
        coalesce(enrolment.people_per_week, 0) as people_per_week
    from experiments
    left join metrics
        on experiments.primary_metric = metrics.metric
    left join enrolment
        on experiments.experiment_id = enrolment.experiment_id
    left join baselines
        on
            experiments.experiment_id = baselines.experiment_id
            and experiments.primary_metric = baselines.metric
    where experiments.holdout_share > 0 and experiments.holdout_share < 1
),

planned as (
    select
        *,
        case
            when kind = 'proportion' then {{ planned_error_of_rates(
                'baseline_mean', 'baseline_mean * ' ~ (1 + var('planned_relative_effect')),
                'people * holdout_share', 'people * (1 - holdout_share)'
            ) }}
            else {{ planned_error_of_means(
                'baseline_deviation', 'people * holdout_share', 'people * (1 - holdout_share)'
            ) }}
        end as planned_error,
        {{ minimum_detectable_effect(
            'baseline_deviation', 'people * holdout_share', 'people * (1 - holdout_share)',
            var('planned_power')
        ) }} as detectable_effect,
        case
            when kind = 'proportion' then {{ people_for_rates(
                'baseline_mean', 'baseline_mean * ' ~ (1 + var('planned_relative_effect')),
                '((1 - holdout_share) / holdout_share)', var('planned_power')
            ) }}
            else {{ people_for_means(
                'baseline_deviation', 'baseline_mean * ' ~ var('planned_relative_effect'),
                '((1 - holdout_share) / holdout_share)', var('planned_power')
            ) }}
        end / nullif(holdout_share, 0) as people_needed
    from measured
),

final as (
    select
        experiment_id,
        metric,
        window_hours,
        baseline_mean,
        baseline_deviation,
        cast(people as bigint) as people,
        cast(people_per_week as double) as people_per_week,
        detectable_effect,
        detectable_effect / nullif(baseline_mean, 0) as detectable_relative_effect,
        cast({{ var('planned_relative_effect') }} as double) as planned_relative_effect,
        {{ chance_to_find(
            'baseline_mean * ' ~ var('planned_relative_effect'), 'planned_error'
        ) }} as power_now,
        cast(ceil(people_needed) as bigint) as people_needed,
        case
            when people >= people_needed then cast(0 as double)
            when ends_at is null or ends_at > {{ as_of() }}
                then (people_needed - people) / nullif(people_per_week, 0) + window_hours / 168.0
        end as weeks_left
    from planned
)

select * from final
