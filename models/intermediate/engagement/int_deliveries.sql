{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('delivery_id', touched_deliveries()) }}",
        post_hook="{{ record_loads(['customerio'], upstream='int_message_events') }}"
    )
}}

with message_events as (
    select * from {{ ref('int_message_events') }}
    where delivery_id is not null
    {% if is_incremental() -%}
    -- An event of an old delivery may come at any time, so all of a touched delivery is read.
    and delivery_id in ({{ touched_deliveries() }})
    {%- endif %}
),

aggregated as (
    select
        delivery_id,
        -- One delivery is to one profile. After a merge its later events name the profile that
        -- stayed; both lead to the same person.
        coalesce(
            min(profile_key) filter (where profile_key like 'cio:%'),
            min(profile_key) filter (where profile_key like 'id:%'),
            min(profile_key)
        ) as profile_key,
        max(campaign_id) as campaign_id,
        max(broadcast_id) as broadcast_id,
        max(newsletter_id) as newsletter_id,
        max(transactional_message_id) as transactional_message_id,
        max(action_id) as action_id,
        max(parent_action_id) as parent_action_id,
        max(content_id) as content_id,
        max(journey_id) as journey_id,
        max(object_type) as object_type,
        max(channel) as channel,

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
        aggregated.*,
        -- When the person received it, by what the channel can tell: an e-mail is received when it
        -- is delivered, an in-app message when it is seen, everything else when it is sent.
        case channels.exposure_metric
            when 'delivered' then aggregated.delivered_at
            when 'opened' then aggregated.first_opened_at
            when 'sent' then aggregated.sent_at
        end as exposed_at
    from aggregated
    left join channels
        on aggregated.object_type = channels.object_type
)

select * from final
