{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('message_event_id', touched_message_events()) }}",
        post_hook="{{ record_loads(['customerio']) }}"
    )
}}

with webhook_events as (
    select * from {{ ref('stg_customerio__webhook_events') }}
    {% if is_incremental() -%}
    -- A duplicate may come at any time, so every version of a touched event is read again.
    where event_id in (
        select event_id
        from {{ ref('stg_customerio__webhook_events') }}
        where load_id in ({{ loads_to_take('customerio') }})
    )
    {%- endif %}
),

channels as (
    select * from {{ ref('channels') }}
),

-- Versions differ, if at all, in who is named: the person may have been deleted in between. The
-- one that names a person stands, and the text decides between equals, so that the order of
-- loading never does.
ranked as (
    select
        *,
        row_number() over (
            partition by message_event_id
            order by
                profile_key nulls last,
                href nulls last,
                failure_message nulls last,
                is_machine nulls last,
                is_prefetched nulls last,
                is_proxied nulls last,
                is_synthetic nulls last,
                campaign_id nulls last,
                action_id nulls last
        ) as version_rank
    from webhook_events
),

final as (
    select
        ranked.message_event_id,
        ranked.event_id,
        ranked.profile_key,
        ranked.delivery_id,
        ranked.campaign_id,
        ranked.broadcast_id,
        ranked.newsletter_id,
        ranked.transactional_message_id,
        ranked.action_id,
        ranked.parent_action_id,
        ranked.content_id,
        ranked.journey_id,

        ranked.object_type,
        channels.channel,
        ranked.metric,
        ranked.link_id,
        ranked.href,
        ranked.failure_message,
        ranked.device_platform,

        ranked.occurred_at,

        ranked.is_proxied,
        ranked.is_prefetched,
        ranked.is_synthetic,
        ranked.is_machine,
        -- A feed that says nothing is taken as a person: only what is known to be a machine is one.
        case ranked.metric
            when 'clicked' then not coalesce(ranked.is_machine, false)
            when 'opened' then not coalesce(ranked.is_prefetched, false)
        end as is_human
    from ranked
    left join channels
        on ranked.object_type = channels.object_type
    where ranked.version_rank = 1
)

select * from final
