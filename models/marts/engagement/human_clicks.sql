-- All of history: a merge gives old clicks to somebody else; what is read are responses, not
-- events.
with message_responses as (
    select * from {{ ref('message_responses') }}
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
        message_responses.message_event_id,
        message_responses.person_id,
        message_responses.delivery_id,

        message_responses.channel,
        deliveries.message_class,

        message_responses.occurred_at,

        deliveries.is_promotional
    from message_responses
    left join deliveries
        on message_responses.delivery_id = deliveries.delivery_id
)

select * from final
