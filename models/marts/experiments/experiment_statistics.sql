{%- set counts = ['people', 'delivered_people', 'nonzero_people'] -%}
{%- set sums = [
    'sum_y', 'sum_yy', 'sum_yyy', 'sum_yd', 'sum_x', 'sum_xx', 'sum_xy', 'sum_per', 'sum_per_per',
    'sum_y_per'
] -%}

with experiment_outcomes as (
    select * from {{ ref('experiment_outcomes') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

person_values as (
    select
        experiment_outcomes.experiment_id,
        experiment_outcomes.arm,
        experiment_outcomes.tenure_before,
        experiment_outcomes.purchases_before,
        experiment_outcomes.fatigue_before,
        metrics.metric,
        metrics.family,
        metrics.is_capped,
        {{ metric_value('value') }} as y,
        {{ metric_value('per') }} as per,
        coalesce({{ metric_value('covariate') }}, 0) as x,
        case when experiment_outcomes.is_delivered then 1 else 0 end as d
    from experiment_outcomes
    cross join metrics
),

-- One cap over all arms, or the cap itself would make a difference.
caps as (
    select
        experiment_id,
        metric,
        cast(
            percentile_cont({{ var('cap_quantile') }}) within group (order by y) as decimal(16, 4)
        ) as cap
    from person_values
    where is_capped and y > 0
    group by experiment_id, metric
),

capped as (
    select
        person_values.*,
        caps.cap,
        case when person_values.y > caps.cap then caps.cap else person_values.y end as v
    from person_values
    left join caps
        on
            person_values.experiment_id = caps.experiment_id
            and person_values.metric = caps.metric
    where person_values.y is not null
),

-- Squares and products are multiplied in decimals wide enough for them, so that the sums do not
-- depend on the order in which an engine adds them. Cubes of large amounts fit no decimal.
powers as (
    select
        *,
        cast(v * v as decimal(32, 8)) as vv,
        -- exact in the sum, so that no order of adding shows
        cast(cast(v as double) * v * v as decimal(38, 6)) as vvv,
        cast(x * x as decimal(32, 8)) as xx,
        cast(v * x as decimal(32, 8)) as vx,
        cast(per * per as decimal(32, 8)) as pp,
        cast(v * per as decimal(32, 8)) as vp
    from capped
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
        count(*) filter (where v <> 0) as nonzero_people,
        sum(v) as sum_y,
        sum(vv) as sum_yy,
        sum(vvv) as sum_yyy,
        sum(v * d) as sum_yd,
        sum(x) as sum_x,
        sum(xx) as sum_xx,
        sum(vx) as sum_xy,
        sum(per) as sum_per,
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
