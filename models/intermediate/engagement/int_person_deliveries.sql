{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('delivery_id', touched_person_deliveries()) }}",
        post_hook=["{{ record_loads(['customerio'], upstream='int_deliveries') }}",
            "{{ drop_touched() }}"]
    )
}}

-- Nearly every mart and audience reads messages with their people: who that is, is looked up once.
with deliveries as (
    {% if is_incremental() -%}
    {{ few_rows(ref('int_deliveries'), 'delivery_id in (' ~ touched_keys() ~ ')') }}
    {%- else -%}
    select * from {{ ref('int_deliveries') }}
    {%- endif %}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

ghost_deliveries as (
    select * from {{ ref('int_ghost_deliveries') }}
),

message_classes as (
    select * from {{ ref('int_message_classes') }}
),

final as (
    select
        deliveries.delivery_id,
        profile_people.person_id,
        deliveries.profile_key,
        deliveries.campaign_id,
        deliveries.broadcast_id,
        deliveries.newsletter_id,
        deliveries.transactional_message_id,
        deliveries.action_id,
        deliveries.parent_action_id,
        deliveries.content_id,
        deliveries.journey_id,
        {{ message_key('deliveries') }} as message_key,
        '{{ invocation_id }}' as build_id,

        deliveries.object_type,
        deliveries.channel,
        message_classes.message_class,
        deliveries.feeds,

        deliveries.first_event_at,
        deliveries.drafted_at,
        deliveries.attempted_at,
        deliveries.sent_at,
        deliveries.delivered_at,
        deliveries.exposed_at,
        deliveries.first_opened_at,
        deliveries.first_human_opened_at,
        deliveries.first_clicked_at,
        deliveries.first_human_clicked_at,
        deliveries.converted_at,
        deliveries.bounced_at,
        deliveries.dropped_at,
        deliveries.undeliverable_at,
        deliveries.failed_at,
        deliveries.unsubscribed_at,
        deliveries.spammed_at,

        deliveries.human_opens,
        deliveries.machine_opens,
        deliveries.human_clicks,
        deliveries.machine_clicks,

        message_classes.is_promotional,
        ghost_deliveries.delivery_id is not null as is_ghost
    from deliveries
    left join profile_people
        on deliveries.profile_key = profile_people.profile_key
    left join ghost_deliveries
        on deliveries.delivery_id = ghost_deliveries.delivery_id
    left join message_classes
        on {{ message_key('deliveries') }} = message_classes.message_key
)

select * from final
{% if not is_incremental() -%}
-- What is read of them is mostly what lies in a window: the latest lie together.
order by first_event_at
{%- endif %}
