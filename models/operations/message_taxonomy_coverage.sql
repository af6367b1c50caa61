with deliveries as (
    select * from {{ ref('deliveries') }}
),

final as (
    select
        {{ message_key() }} as message_key,
        campaign_id,
        broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        content_id,
        message_class,
        max(first_event_at) as last_seen_at,
        count(*) as deliveries,
        count(*) filter (where message_class is null) as unclassified_deliveries
    from deliveries
    group by
        campaign_id,
        broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        content_id,
        message_class
)

select * from final
