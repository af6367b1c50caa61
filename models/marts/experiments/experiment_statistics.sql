{%- set counts = ['people', 'delivered_people', 'nonzero_people'] -%}
{%- set sums = [
    'sum_y', 'sum_yy', 'sum_yyy', 'sum_yd', 'sum_x', 'sum_xx', 'sum_xy', 'sum_per', 'sum_per_per',
    'sum_y_per'
] -%}

with experiment_metric_values as (
    select * from {{ ref('experiment_metric_values') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

-- Squares and products are multiplied in decimals wide enough for them, so that the sums do not
-- depend on the order in which an engine adds them. Cubes of large amounts fit no decimal.
powers as (
    select
        *,
        case when is_delivered then 1 else 0 end as d,
        cast(value * value as decimal(32, 8)) as vv,
        -- exact in the sum, so that no order of adding shows
        cast(cast(value as double) * value * value as decimal(38, 6)) as vvv,
        cast(covariate * covariate as decimal(32, 8)) as xx,
        cast(value * covariate as decimal(32, 8)) as vx,
        cast(denominator * denominator as decimal(32, 8)) as pp,
        cast(value * denominator as decimal(32, 8)) as vp
    from experiment_metric_values
),

-- People are summed once, into as many groups as there are kinds of people.
grouped as (
    select
        experiment_id,
        arm,
        metric,
        family,
        tenure_before,
        purchases_before,
        fatigue_before,
        max(cap) as cap,
        count(*) as people,
        sum(d) as delivered_people,
        count(*) filter (where value <> 0) as nonzero_people,
        sum(value) as sum_y,
        sum(vv) as sum_yy,
        sum(vvv) as sum_yyy,
        sum(value * d) as sum_yd,
        sum(covariate) as sum_x,
        sum(xx) as sum_xx,
        sum(vx) as sum_xy,
        sum(denominator) as sum_per,
        sum(pp) as sum_per_per,
        sum(vp) as sum_y_per
    from powers
    group by
        experiment_id, arm, metric, family, tenure_before, purchases_before, fatigue_before
),

-- Only what was so before the index makes a segment, and only goals are told by segment.
summed as (
    {%- for segment in [
        "'all'", "'tenure: ' || tenure_before", "'orders before: ' || purchases_before",
        "'fatigue: ' || fatigue_before"
    ] %}
    {{ 'union all' if not loop.first }}
    select
        experiment_id,
        arm,
        metric,
        family,
        {{ segment }} as segment,
        {%- for name in counts + sums %}
        sum({{ name }}) as {{ name }},
        {%- endfor %}
        max(cap) as cap
    from grouped
    {{ "where family = 'goal'" if not loop.first }}
    group by experiment_id, arm, metric, family, {{ segment }}
    {%- endfor %}
),

final as (
    select
        summed.experiment_id,
        summed.arm,
        summed.metric,
        experiments.window_hours,
        summed.segment,
        {%- for name in counts %}
        cast(summed.{{ name }} as bigint) as {{ name }},
        {%- endfor %}
        {%- for name in sums %}
        cast(summed.{{ name }} as double) as {{ name }},
        {%- endfor %}
        cast(summed.cap as double) as cap
    from summed
    inner join experiments
        on summed.experiment_id = experiments.experiment_id
)

select * from final
