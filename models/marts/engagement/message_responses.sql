{{ config(materialized='view') }}

with message_responses as (
    select * from {{ ref('int_message_responses') }}
),

final as (
    select
        message_event_id,
        person_id,
        delivery_id,
        message_key,

        channel,
        metric,
        link_id,
        href,

        occurred_at,

        is_human,
        is_ghost
    from message_responses
)

select * from final
