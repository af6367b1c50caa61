{{ config(materialized='view') }}

{%- set windows = [1, 7, 14, 30] %}

-- Later messages change no earlier one's numbers, so that what came after `as_of` is only left out.
with message_pressure as (
    select * from {{ ref('int_message_pressure') }}
    where exposed_at <= {{ as_of() }}
),

click_conversions as (
    select * from {{ ref('click_conversions') }}
    where is_converted
),

final as (
    select
        message_pressure.delivery_id,
        message_pressure.person_id,
        message_pressure.channel,
        message_pressure.message_class,
        message_pressure.exposed_at,
        {%- for days in windows %}
        message_pressure.number_{{ days }}d,
        message_pressure.class_number_{{ days }}d,
        message_pressure.period_number_{{ days }}d,
        message_pressure.class_period_number_{{ days }}d,
        {%- endfor %}
        message_pressure.is_promotional,
        coalesce(message_pressure.first_human_clicked_at <= {{ as_of() }}, false) as is_clicked,
        coalesce(message_pressure.unsubscribed_at <= {{ as_of() }}, false) as is_unsubscribed,
        coalesce(message_pressure.spammed_at <= {{ as_of() }}, false) as is_complaint,
        click_conversions.delivery_id is not null as is_ordered
    from message_pressure
    left join click_conversions
        on message_pressure.delivery_id = click_conversions.delivery_id
)

select * from final
