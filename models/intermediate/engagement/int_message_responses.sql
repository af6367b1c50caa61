{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            'coalesce(delivery_id, event_id)', touched_responses(),
            since=touched_since('int_message_events', kept=this), at='occurred_at'
        ) }}",
        post_hook=["{{ record_loads(['customerio'], upstream='int_message_events') }}",
            "{{ drop_touched() }}"]
    )
}}

-- A fifth of what happens to messages is what somebody does with them, and most marts ask for that
-- alone: it is picked out, and whose it is looked up, once.
{%- set responses = "('opened', 'clicked', 'converted', 'unsubscribed', 'spammed')" %}
with message_events as (
    {% if is_incremental() -%}
    {{ few_rows(
        ref('int_message_events'),
        'coalesce(delivery_id, event_id) in (' ~ touched_keys() ~ ') and metric in ' ~ responses,
        not_before_touched('occurred_at')
    ) }}
    {%- else -%}
    select * from {{ ref('int_message_events') }}
    where metric in {{ responses }}
    {%- endif %}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

ghost_deliveries as (
    select * from {{ ref('int_ghost_deliveries') }}
),

final as (
    select
        message_events.message_event_id,
        message_events.event_id,
        profile_people.person_id,
        message_events.profile_key,
        message_events.delivery_id,
        {{ message_key('message_events') }} as message_key,

        message_events.channel,
        message_events.metric,
        message_events.link_id,
        message_events.href,

        message_events.occurred_at,

        message_events.is_human,
        ghost_deliveries.delivery_id is not null as is_ghost
    from message_events
    left join profile_people
        on message_events.profile_key = profile_people.profile_key
    left join ghost_deliveries
        on message_events.delivery_id = ghost_deliveries.delivery_id
)

select * from final
