with message_events as (
    select * from {{ ref('message_events') }}
    where
        metric in ('sent', 'delivered', 'opened', 'clicked', 'converted')
        and not is_ghost
        and delivery_id is not null
        and occurred_at <= {{ as_of() }}
),

deliveries as (
    select * from {{ ref('deliveries') }}
),

final as (
    select
        {{ message_key('deliveries') }} as message_key,
        deliveries.channel,
        -- E-mail and SMS do not tell; then it is unknown, and the sums still hold.
        coalesce(lower(message_events.device_platform), 'unknown') as device_platform,
        count(*) filter (where message_events.metric = 'sent') as sends,
        count(*) filter (where message_events.metric = 'delivered') as deliveries,
        count(*) filter (
            where message_events.metric = 'opened' and message_events.is_human
        ) as human_opens,
        count(*) filter (
            where message_events.metric = 'opened' and not message_events.is_human
        ) as machine_opens,
        count(*) filter (
            where message_events.metric = 'clicked' and message_events.is_human
        ) as human_clicks,
        count(*) filter (
            where message_events.metric = 'clicked' and not message_events.is_human
        ) as machine_clicks,
        count(*) filter (where message_events.metric = 'converted') as conversions
    from message_events
    inner join deliveries
        on message_events.delivery_id = deliveries.delivery_id
    group by
        {{ message_key('deliveries') }},
        deliveries.channel,
        coalesce(lower(message_events.device_platform), 'unknown')
)

select * from final
