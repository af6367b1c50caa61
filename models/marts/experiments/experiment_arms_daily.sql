{{ config(materialized='view') }}

-- A person enters on the day their window is over, so nobody's outcome changes afterwards. Of what
-- is refused there is no mean: two of them are a lift.
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

final as (
    select
        cumulative.experiment_id,
        cumulative.arm,
        cumulative.metric,
        cumulative.as_of_on,
        cast(cumulative.people as bigint) as people,
        case
            when refusals.experiment_id is null
                then {{ sample_mean('cumulative.people', 'cumulative.sum_y') }}
        end as mean,
        case
            when refusals.experiment_id is null
                then {{ sample_variance(
                    'cumulative.people', 'cumulative.sum_y', 'cumulative.sum_yy'
                ) }}
        end as variance,
        cumulative.is_control
    from cumulative
    left join refusals
        on
            cumulative.experiment_id = refusals.experiment_id
            and cumulative.metric = refusals.metric
)

select * from final
