with estimates as (
    select * from {{ ref('int_experiment_estimates') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_health as (
    select * from {{ ref('experiment_health') }}
),

-- What an experiment's health forbids is not shown at all: a number that may not be believed
-- would be.
refusals as (
    select
        experiment_id,
        min_by(
            detail,
            case check_name
                when 'random_holdout' then 1
                when 'sample_ratio' then 2
                when 'leakage' then 3
                else 4
            end
        ) as reason
    from experiment_health
    where status = 'fail'
    group by experiment_id
),

metrics as (
    {%- for metric, _ in experiment_metrics() %}
    {{ 'union all' if not loop.first }}
    select '{{ metric }}' as metric
    {%- endfor %}
),

refused as (
    select
        experiments.experiment_id,
        metrics.metric,
        experiments.window_hours,
        refusals.reason
    from refusals
    inner join experiments
        on refusals.experiment_id = experiments.experiment_id
    cross join metrics
),

estimated as (
    select experiment_id
    from estimates
    group by experiment_id
),

-- Too early is no refusal: the arms are there, and nobody's window is over yet.
waiting as (
    select
        experiments.experiment_id,
        metrics.metric,
        experiments.window_hours
    from experiments
    left join refusals
        on experiments.experiment_id = refusals.experiment_id
    left join estimated
        on experiments.experiment_id = estimated.experiment_id
    cross join metrics
    where refusals.experiment_id is null and estimated.experiment_id is null
),

judged as (
    select
        estimates.*,
        estimates.control_mean * estimates.control_people as control_total,
        estimates.mean * estimates.people as total
    from estimates
    left join refusals
        on estimates.experiment_id = refusals.experiment_id
    where refusals.experiment_id is null
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        segment,
        method,
        people,
        control_people,
        mean,
        control_mean,
        effect,
        standard_error,
        ci_low,
        ci_high,
        p_value,
        relative_effect,
        relative_ci_low,
        relative_ci_high,
        case
            when ci_low is null then 'no verdict'
            when
                metric = 'conversion_rate'
                and least(total, control_total) < {{ var('verdict_minimum_converters') }}
                then 'no verdict'
            when ci_low > 0 then 'helps'
            when ci_high < 0 then 'hurts'
            else 'no clear effect'
        end as verdict,
        case
            when ci_low is null then 'nothing varies in the arms'
            when
                metric = 'conversion_rate'
                and least(total, control_total) < {{ var('verdict_minimum_converters') }}
                then 'fewer than {{ var("verdict_minimum_converters") }} people converted in an arm'
            when ci_low > 0 then 'the whole 95 % interval lies above 0'
            when ci_high < 0 then 'the whole 95 % interval lies below 0'
            else 'the 95 % interval includes 0'
        end as reason
    from judged

    union all

    {{ experiment_without_estimate("'refused'", 'reason') }}
    from refused

    union all

    {{ experiment_without_estimate("'too early'", "'nobody''s window is over yet'") }}
    from waiting
)

select * from final
