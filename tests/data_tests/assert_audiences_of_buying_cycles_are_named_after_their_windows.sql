-- Their windows come from a seed and their labels do not: who changes the one is told of the other.
{{ config(severity='warn') }}

with labels as (
    select
        'due' as cycle_stage,
        '{{ audience_label("repurchase_due_30_180d") }}' as audience_label

    union all

    select
        'lapsed' as cycle_stage,
        '{{ audience_label("repurchase_lapsed_45_365d") }}' as audience_label
),

spans as (
    select
        stage,
        cast(min(from_days) as {{ dbt.type_string() }}) || '-'
        || cast(max(to_days) as {{ dbt.type_string() }}) || 'd' as span
    from {{ ref('buying_cycles') }}
    group by stage
)

select
    labels.audience_label,
    spans.span
from labels
inner join spans
    on labels.cycle_stage = spans.stage
where labels.audience_label not like '%| ' || spans.span
