with message_events as (
    select * from {{ ref('message_events') }}
    -- A ghost send is not a message. What is stamped with a later time waits until it has come.
    where not is_ghost and occurred_at <= {{ as_of() }}
),

people as (
    select * from {{ ref('people') }}
),

channels as (
    select * from {{ ref('channels') }}
),

message_metrics as (
    select * from {{ ref('message_metrics') }}
),

named as (
    select
        message_events.*,
        people.customer_id,
        people.email,
        people.cio_id,
        trim(
            coalesce(channels.event_prefix, '') || ' '
            || case
                when channels.channel = 'in_app' and message_events.metric = 'clicked'
                    then 'Clicked'
                else coalesce(message_metrics.event_suffix, message_events.metric)
            end
        ) as label,
        case
            when message_events.is_human then 'person'
            when not message_events.is_human then 'machine'
            else 'system'
        end as made_by
    from message_events
    left join people
        on message_events.person_id = people.person_id
    left join channels
        on message_events.object_type = channels.object_type
    left join message_metrics
        on message_events.metric = message_metrics.metric
),

described as (
    select
        *,
        {{ json_object([
            ('channel', 'channel'),
            ('metric', 'metric'),
            ('made_by', 'made_by'),
            ('delivery_id', 'delivery_id'),
            ('campaign_id', 'campaign_id'),
            ('broadcast_id', 'broadcast_id'),
            ('newsletter_id', 'newsletter_id'),
            ('transactional_message_id', 'transactional_message_id'),
            ('action_id', 'action_id'),
            ('content_id', 'content_id'),
            ('link_id', 'link_id'),
            ('link_url', "split_part(href, '?', 1)"),
        ]) }} as payload
    from named
),

final as (
    select
        message_event_id as record_key,
        person_id,
        customer_id,
        email,
        cio_id,
        metric,
        channel,
        made_by,
        label,
        occurred_at,
        payload,
        md5(label || payload) as fingerprint
    from described
)

select * from final
