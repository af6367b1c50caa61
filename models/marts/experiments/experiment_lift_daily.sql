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

experiment_health as (
    select * from {{ ref('experiment_health') }}
    where vetoes is not null
),

person_values as (
    select
        experiment_id,
        arm,
        {{ local_date('window_ends_at') }} as as_of_on,
        'conversion_rate' as metric,
        cast(case when is_converted then 1 else 0 end as decimal(16, 4)) as y
    from experiment_outcomes

    union all

    select
        experiment_id,
        arm,
        {{ local_date('window_ends_at') }} as as_of_on,
        'revenue_per_person' as metric,
        cast(revenue as decimal(16, 4)) as y
    from experiment_outcomes
    where revenue is not null
),

daily as (
    select
        experiment_id,
        arm,
        metric,
        as_of_on,
        count(*) as people,
        sum(y) as sum_y,
        sum(cast(y * y as decimal(32, 8))) as sum_yy
    from person_values
    group by experiment_id, arm, metric, as_of_on
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

cumulative as (
    select
        days.experiment_id,
        days.arm,
        days.is_control,
        days.metric,
        days.as_of_on,
        {%- for name in ['people', 'sum_y', 'sum_yy'] %}
        cast(sum(coalesce(daily.{{ name }}, 0)) over (
            partition by days.experiment_id, days.arm, days.metric
            order by days.as_of_on rows between unbounded preceding and current row
        ) as double) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
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
    left join experiment_health
        on
            treated.experiment_id = experiment_health.experiment_id
            and (
                experiment_health.vetoes = 'all metrics'
                or treated.metric = 'revenue_per_person'
            )
    where not treated.is_control and experiment_health.experiment_id is null
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
