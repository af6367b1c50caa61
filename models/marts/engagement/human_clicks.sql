with message_events as (
    select * from {{ ref('message_events') }}
    where
        metric = 'clicked'
        and is_human
        and not is_ghost
        and person_id is not null
        and occurred_at <= {{ as_of() }}
),

deliveries as (
    select * from {{ ref('deliveries') }}
),

final as (
    select
        message_events.message_event_id,
        message_events.person_id,
        message_events.delivery_id,

        message_events.channel,
        deliveries.message_class,

        message_events.occurred_at,

        deliveries.is_promotional
    from message_events
    left join deliveries
        on message_events.delivery_id = deliveries.delivery_id
)

select * from final
