with experiment_outcomes as (
    select * from {{ ref('experiment_outcomes') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

person_values as (
    select
        experiment_id,
        arm,
        {% for metric, expression in experiment_metrics() -%}
        cast({{ expression }} as decimal(12, 4)) as {{ metric }},
        {% endfor -%}
        case when is_delivered then 1 else 0 end as delivered
    from experiment_outcomes
),

-- Squares and cubes are multiplied in decimals wide enough for them, or an engine overflows.
powers as (
    select
        experiment_id,
        arm,
        {% for metric, _ in experiment_metrics() -%}
        {{ metric }},
        cast({{ metric }} as decimal(20, 4)) * {{ metric }} as {{ metric }}_squared,
        cast(cast({{ metric }} as decimal(20, 4)) * {{ metric }} as decimal(25, 8)) * {{ metric }}
            as {{ metric }}_cubed,
        {% endfor -%}
        delivered
    from person_values
),

summed as (
    select
        experiment_id,
        arm,
        {% for metric, _ in experiment_metrics() -%}
        sum({{ metric }}) as {{ metric }}_y,
        sum({{ metric }}_squared) as {{ metric }}_yy,
        sum({{ metric }}_cubed) as {{ metric }}_yyy,
        sum({{ metric }} * delivered) as {{ metric }}_yd,
        {% endfor -%}
        count(*) as people,
        sum(delivered) as delivered_people
    from powers
    group by experiment_id, arm
),

by_metric as (
    {%- for metric, _ in experiment_metrics() %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        arm,
        '{{ metric }}' as metric,
        people,
        delivered_people,
        {{ metric }}_y as sum_y,
        {{ metric }}_yy as sum_yy,
        {{ metric }}_yyy as sum_yyy,
        {{ metric }}_yd as sum_yd
    from summed
    {%- endfor %}
),

final as (
    select
        by_metric.experiment_id,
        by_metric.arm,
        by_metric.metric,
        experiments.window_hours,
        'all' as segment,
        cast(by_metric.people as bigint) as people,
        cast(by_metric.delivered_people as bigint) as delivered_people,
        cast(by_metric.sum_y as double) as sum_y,
        cast(by_metric.sum_yy as double) as sum_yy,
        cast(by_metric.sum_yyy as double) as sum_yyy,
        cast(by_metric.sum_yd as double) as sum_yd
    from by_metric
    inner join experiments
        on by_metric.experiment_id = experiments.experiment_id
)

select * from final
