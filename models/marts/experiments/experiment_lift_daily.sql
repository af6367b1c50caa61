-- What the result would have said on each day, with an interval that may be looked at every day.
-- A person enters on the day their window is over, so nobody's outcome changes afterwards.
with experiment_outcomes as (
    select * from {{ ref('experiment_outcomes') }}
),

experiment_arms as (
    select
        experiment_id,
        arm,
        is_control
    from {{ ref('experiment_arms') }}
    group by experiment_id, arm, is_control
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
),

daily as (
    {%- for metric, value in [
        ('conversion_rate', 'case when is_converted then 1 else 0 end'),
        ('revenue_per_person', 'revenue'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        arm,
        '{{ metric }}' as metric,
        {{ local_date('window_ends_at') }} as as_of_on,
        count({{ value }}) as people,
        sum(cast({{ value }} as decimal(16, 4))) as sum_y,
        sum(cast(cast({{ value }} as decimal(16, 4)) * {{ value }} as decimal(32, 8))) as sum_yy
    from experiment_outcomes
    group by experiment_id, arm, {{ local_date('window_ends_at') }}
    {%- endfor %}
),

-- An arm may have nobody on a day, and still has everyone before it.
days as (
    select
        daily.experiment_id,
        experiment_arms.arm,
        experiment_arms.is_control,
        daily.metric,
        daily.as_of_on
    from daily
    inner join experiment_arms
        on daily.experiment_id = experiment_arms.experiment_id
    group by
        daily.experiment_id,
        experiment_arms.arm,
        experiment_arms.is_control,
        daily.metric,
        daily.as_of_on
),

{% set so_far -%}
    partition by days.experiment_id, days.arm, days.metric
    order by days.as_of_on rows between unbounded preceding and current row
{%- endset -%}
cumulative as (
    select
        days.*,
        cast(sum(coalesce(daily.people, 0)) over ({{ so_far }}) as double) as people,
        cast(sum(coalesce(daily.sum_y, 0)) over ({{ so_far }}) as double) as sum_y,
        cast(sum(coalesce(daily.sum_yy, 0)) over ({{ so_far }}) as double) as sum_yy
    from days
    left join daily
        on
            days.experiment_id = daily.experiment_id
            and days.arm = daily.arm
            and days.metric = daily.metric
            and days.as_of_on = daily.as_of_on
),

moments as (
    select
        *,
        {{ sample_mean('people', 'sum_y') }} as mean,
        {{ sample_variance('people', 'sum_y', 'sum_yy') }} as variance
    from cumulative
),

compared as (
    select
        treated.experiment_id,
        treated.arm,
        control.arm as control_arm,
        treated.metric,
        treated.as_of_on,
        treated.people,
        control.people as control_people,
        treated.people + control.people as both_people,
        treated.mean - control.mean as effect,
        {{ welch_standard_error(
            'treated.variance', 'treated.people', 'control.variance', 'control.people'
        ) }} as standard_error
    from moments as treated
    inner join moments as control
        on
            treated.experiment_id = control.experiment_id
            and treated.metric = control.metric
            and treated.as_of_on = control.as_of_on
            and control.is_control
    left join refusals
        on
            treated.experiment_id = refusals.experiment_id
            and treated.metric = refusals.metric
    where not treated.is_control and refusals.experiment_id is null
),

bounded as (
    select
        *,
        {{ always_valid_half_width('standard_error', 'both_people', var('planned_people')) }}
            as half_width
    from compared
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        as_of_on,
        cast(people as bigint) as people,
        cast(control_people as bigint) as control_people,
        effect,
        standard_error,
        effect - half_width as ci_low,
        effect + half_width as ci_high
    from bounded
)

select * from final
