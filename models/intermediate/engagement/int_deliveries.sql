{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            'delivery_id', touched_messages('int_message_events'),
            since=touched_since('int_message_events')
        ) }}",
        post_hook=["{{ record_loads(['customerio'], upstream='int_message_events') }}",
            "{{ drop_touched() }}"]
    )
}}

with message_events as (
    -- An event of an old delivery may come at any time, so all of a touched delivery is read.
    {% if is_incremental() -%}
    {{ few_rows(
        ref('int_message_events'),
        'delivery_id in (' ~ touched_keys() ~ ')', not_before_touched('occurred_at')
    ) }}
    {%- else -%}
    select * from {{ ref('int_message_events') }}
    where delivery_id is not null
    {%- endif %}
),

delivery_headers as (
    {% if is_incremental() -%}
    {{ few_rows(ref('int_delivery_headers'), 'delivery_id in (' ~ touched_keys() ~ ')') }}
    {%- else -%}
    select * from {{ ref('int_delivery_headers') }}
    {%- endif %}
),

aggregated as (
    select
        delivery_id,
        min(occurred_at) as first_event_at,
        min(occurred_at) filter (where metric = 'drafted') as drafted_at,
        min(occurred_at) filter (where metric = 'attempted') as attempted_at,
        min(occurred_at) filter (where metric = 'sent') as sent_at,
        min(occurred_at) filter (where metric = 'delivered') as delivered_at,
        min(occurred_at) filter (where metric = 'opened') as first_opened_at,
        min(occurred_at) filter (where metric = 'opened' and is_human) as first_human_opened_at,
        min(occurred_at) filter (where metric = 'clicked') as first_clicked_at,
        min(occurred_at) filter (where metric = 'clicked' and is_human) as first_human_clicked_at,
        min(occurred_at) filter (where metric = 'converted') as converted_at,
        min(occurred_at) filter (where metric = 'bounced') as bounced_at,
        min(occurred_at) filter (where metric = 'dropped') as dropped_at,
        min(occurred_at) filter (where metric = 'undeliverable') as undeliverable_at,
        min(occurred_at) filter (where metric = 'failed') as failed_at,
        min(occurred_at) filter (where metric = 'unsubscribed') as unsubscribed_at,
        min(occurred_at) filter (where metric = 'spammed') as spammed_at,

        count(*) filter (where metric = 'opened' and is_human) as human_opens,
        count(*) filter (where metric = 'opened' and not is_human) as machine_opens,
        count(*) filter (where metric = 'clicked' and is_human) as human_clicks,
        count(*) filter (where metric = 'clicked' and not is_human) as machine_clicks
    from message_events
    group by delivery_id
),

channels as (
    select * from {{ ref('channels') }}
),

final as (
    select
        delivery_headers.delivery_id,
        delivery_headers.profile_key,
        delivery_headers.campaign_id,
        delivery_headers.broadcast_id,
        delivery_headers.newsletter_id,
        delivery_headers.transactional_message_id,
        delivery_headers.action_id,
        delivery_headers.parent_action_id,
        delivery_headers.content_id,
        delivery_headers.journey_id,

        delivery_headers.object_type,
        channels.channel,
        delivery_headers.feeds,

        -- A feed may tell of a message and nothing that happened to it.
        least(delivery_headers.created_at, aggregated.first_event_at) as first_event_at,
        aggregated.drafted_at,
        aggregated.attempted_at,
        aggregated.sent_at,
        aggregated.delivered_at,
        aggregated.first_opened_at,
        aggregated.first_human_opened_at,
        aggregated.first_clicked_at,
        aggregated.first_human_clicked_at,
        aggregated.converted_at,
        aggregated.bounced_at,
        aggregated.dropped_at,
        aggregated.undeliverable_at,
        aggregated.failed_at,
        aggregated.unsubscribed_at,
        aggregated.spammed_at,
        -- When the person received it, by what the channel can tell: an e-mail is received when it
        -- is delivered, an in-app message when it is seen, everything else when it is sent.
        case channels.exposure_metric
            when 'delivered' then aggregated.delivered_at
            when 'opened' then aggregated.first_opened_at
            when 'sent' then aggregated.sent_at
        end as exposed_at,

        coalesce(aggregated.human_opens, 0) as human_opens,
        coalesce(aggregated.machine_opens, 0) as machine_opens,
        coalesce(aggregated.human_clicks, 0) as human_clicks,
        coalesce(aggregated.machine_clicks, 0) as machine_clicks
    from delivery_headers
    left join aggregated
        on delivery_headers.delivery_id = aggregated.delivery_id
    left join channels
        on delivery_headers.object_type = channels.object_type
)

select * from final
