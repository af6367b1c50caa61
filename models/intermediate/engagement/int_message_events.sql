{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            'coalesce(delivery_id, event_id)', touched_messages('int_message_occurrences'),
            since=touched_since('int_message_occurrences'), at='occurred_at'
        ) }}",
        post_hook=["{{ record_loads(['customerio'], upstream='int_message_occurrences') }}",
            "{{ drop_touched() }}"]
    )
}}

with message_occurrences as (
    {% if is_incremental() -%}
    {{ few_rows(
        ref('int_message_occurrences'),
        'message_key in (' ~ touched_keys() ~ ')', not_before_touched('occurred_at')
    ) }}
    {%- else -%}
    select * from {{ ref('int_message_occurrences') }}
    {%- endif %}
),

delivery_headers as (
    {% if is_incremental() -%}
    {{ few_rows(ref('int_delivery_headers'), 'delivery_id in (' ~ touched_keys() ~ ')') }}
    {%- else -%}
    select * from {{ ref('int_delivery_headers') }}
    {%- endif %}
),

channels as (
    select * from {{ ref('channels') }}
),

webhooks as (
    select * from message_occurrences
    where feed = 'webhook'
),

exports as (
    select * from message_occurrences
    where feed = 'export'
),

api as (
    select * from message_occurrences
    where feed = 'api'
),

-- Who tells more is asked first: a webhook, then an export, then the API.
joined as (
    select
        coalesce(
            webhooks.message_event_id, exports.message_event_id, api.message_event_id
        ) as message_event_id,
        coalesce(webhooks.event_id, exports.event_id) as event_id,
        webhooks.profile_key,
        coalesce(webhooks.delivery_id, exports.delivery_id, api.delivery_id) as delivery_id,
        webhooks.object_type,
        coalesce(webhooks.metric, exports.metric, api.metric) as metric,
        coalesce(webhooks.link_id, exports.link_id) as link_id,
        coalesce(webhooks.href, exports.href) as href,
        coalesce(webhooks.failure_message, exports.failure_message) as failure_message,
        webhooks.device_platform,
        least(webhooks.occurred_at, exports.occurred_at, api.occurred_at) as occurred_at,
        coalesce(webhooks.is_proxied, exports.is_proxied) as is_proxied,
        coalesce(webhooks.is_prefetched, exports.is_prefetched, api.is_prefetched)
            as is_prefetched,
        webhooks.is_synthetic,
        coalesce(webhooks.is_machine, exports.is_machine, api.is_machine) as is_machine,
        concat_ws(',', api.feed, exports.feed, webhooks.feed) as feeds
    from webhooks
    full join exports
        on webhooks.message_event_id = exports.message_event_id
    full join api
        on coalesce(webhooks.message_event_id, exports.message_event_id) = api.message_event_id
),

-- What the API alone tells of a metric that may come again is the first of its kind, person or
-- machine. It is a fact of its own only if no other feed has one of that kind as early.
firsts as (
    select
        delivery_id,
        metric,
        min(occurred_at) as first_at,
        min(occurred_at) filter (
            where coalesce(is_machine, is_prefetched, false) = false
        ) as first_human_at,
        min(occurred_at) filter (
            where coalesce(is_machine, is_prefetched, true)
        ) as first_machine_at
    from joined
    where
        feeds <> 'api'
        and {{ is_repeatable('metric') }}
        and delivery_id in (
            select told_by_api.delivery_id
            from joined as told_by_api
            where told_by_api.feeds = 'api'
        )
    group by delivery_id, metric
),

told as (
    select
        joined.*,
        case
            when coalesce(joined.is_machine, joined.is_prefetched) then firsts.first_machine_at
            when not coalesce(joined.is_machine, joined.is_prefetched) then firsts.first_human_at
            else firsts.first_at
        end as first_elsewhere_at
    from joined
    left join firsts
        on
            joined.feeds = 'api'
            and joined.delivery_id = firsts.delivery_id
            and joined.metric = firsts.metric
),

final as (
    select
        told.message_event_id,
        told.event_id,
        case
            when told.feeds like '%webhook' then told.profile_key
            else delivery_headers.profile_key
        end as profile_key,
        told.delivery_id,
        delivery_headers.campaign_id,
        delivery_headers.broadcast_id,
        delivery_headers.newsletter_id,
        delivery_headers.transactional_message_id,
        delivery_headers.action_id,
        delivery_headers.parent_action_id,
        delivery_headers.content_id,
        delivery_headers.journey_id,

        coalesce(told.object_type, delivery_headers.object_type) as object_type,
        channels.channel,
        told.metric,
        told.link_id,
        told.href,
        told.failure_message,
        told.device_platform,
        told.feeds,

        told.occurred_at,

        told.is_proxied,
        told.is_prefetched,
        told.is_synthetic,
        told.is_machine,
        -- A feed that says nothing is taken as a person: only what is known to be a machine is one.
        case told.metric
            when 'clicked' then not coalesce(told.is_machine, false)
            when 'opened' then not coalesce(told.is_prefetched, false)
        end as is_human
    from told
    left join delivery_headers
        on told.delivery_id = delivery_headers.delivery_id
    left join channels
        on coalesce(told.object_type, delivery_headers.object_type) = channels.object_type
    where
        told.first_elsewhere_at is null
        or told.first_elsewhere_at > {{ add_seconds('told.occurred_at', 1) }}
)

select * from final
