with message_events as (
    select * from {{ ref('message_events') }}
    where
        metric = 'clicked'
        and is_human
        and not is_ghost
        and person_id is not null
        and occurred_at <= {{ as_of() }}
),

-- Messages are few: what one is for is asked of it, not of every delivery.
message_classes as (
    select * from {{ ref('int_message_classes') }}
),

final as (
    select
        message_events.message_event_id,
        message_events.person_id,
        message_events.delivery_id,

        message_events.channel,
        message_classes.message_class,

        message_events.occurred_at,

        message_classes.is_promotional
    from message_events
    left join message_classes
        on {{ message_key('message_events') }} = message_classes.message_key
)

select * from final
