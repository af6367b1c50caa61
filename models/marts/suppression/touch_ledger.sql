{{ config(materialized='view') }}

{%- set budget = var('touch_budget') -%}
{%- set days = var('touch_budget_days') %}

-- A later contact changes no earlier one's count, so that what came after `as_of` is only left out.
with touches as (
    select * from {{ ref('int_touches') }}
    where touched_at <= {{ as_of() }}
),

recent_touches as (
    select
        person_id,
        count(*) as budgeted_touches
    from {{ ref('int_touches') }}
    where is_budgeted and {{ in_window('touched_at', days, 'day') }}
    group by person_id
),

final as (
    select
        touches.touch_id,
        touches.touch_kind,
        touches.person_id,
        touches.channel,
        touches.message_class,
        touches.touched_at,
        {{ local_date('touches.touched_at') }} as touched_on,
        cast({{ budget }} as bigint) as touch_budget,
        touches.budgeted_touches,
        greatest({{ budget }} - touches.budgeted_touches, 0) as budget_left,
        greatest({{ budget }} - coalesce(recent_touches.budgeted_touches, 0), 0)
            as budget_left_now,
        touches.is_promotional,
        touches.is_budgeted,
        touches.is_budgeted and touches.budgeted_touches > {{ budget }} as is_over_budget
    from touches
    left join recent_touches
        on touches.person_id = recent_touches.person_id
)

select * from final
