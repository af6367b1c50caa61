{{ config(materialized='view') }}

with message_events as (
    select * from {{ ref('int_message_events') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

ghost_deliveries as (
    select * from {{ ref('int_ghost_deliveries') }}
),

final as (
    select
        message_events.message_event_id,
        message_events.event_id,
        profile_people.person_id,
        message_events.profile_key,
        message_events.delivery_id,
        message_events.campaign_id,
        message_events.broadcast_id,
        message_events.newsletter_id,
        message_events.transactional_message_id,
        message_events.action_id,
        message_events.parent_action_id,
        message_events.content_id,
        message_events.journey_id,

        message_events.object_type,
        message_events.channel,
        message_events.metric,
        message_events.link_id,
        message_events.href,
        message_events.failure_message,
        message_events.device_platform,
        message_events.feeds,

        message_events.occurred_at,

        message_events.is_proxied,
        message_events.is_prefetched,
        message_events.is_synthetic,
        message_events.is_machine,
        message_events.is_human,
        ghost_deliveries.delivery_id is not null as is_ghost
    from message_events
    left join profile_people
        on message_events.profile_key = profile_people.profile_key
    left join ghost_deliveries
        on message_events.delivery_id = ghost_deliveries.delivery_id
)

select * from final
