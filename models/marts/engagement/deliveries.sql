{{ config(materialized='view') }}

{%- set milestones = [
    'first_opened_at', 'first_human_opened_at', 'first_clicked_at', 'first_human_clicked_at',
    'converted_at', 'bounced_at', 'dropped_at', 'undeliverable_at', 'failed_at', 'unsubscribed_at',
    'spammed_at'
] -%}
{%- set responses = ['human_opens', 'machine_opens', 'human_clicks', 'machine_clicks'] %}

with deliveries as (
    select * from {{ ref('int_deliveries') }}
    where coalesce(first_event_at <= {{ as_of() }}, true)
),

later_responses as (
    select * from {{ ref('int_later_responses') }}
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

        deliveries.object_type,
        deliveries.channel,
        message_classes.message_class,
        deliveries.feeds,

        deliveries.first_event_at,
        -- A milestone is the first of its kind: one after `as_of` was not reached by then.
        {%- for milestone in ['drafted_at', 'attempted_at', 'sent_at', 'delivered_at'] %}
        case when deliveries.{{ milestone }} <= {{ as_of() }} then deliveries.{{ milestone }} end
            as {{ milestone }},
        {%- endfor %}
        -- A trapped delivery reaches nobody, whatever its feed says of it.
        case
            when ghost_deliveries.delivery_id is null and deliveries.exposed_at <= {{ as_of() }}
                then deliveries.exposed_at
        end as exposed_at,
        {%- for milestone in milestones %}
        case when deliveries.{{ milestone }} <= {{ as_of() }} then deliveries.{{ milestone }} end
            as {{ milestone }},
        {%- endfor %}
        {%- for response in responses %}
        deliveries.{{ response }} - coalesce(later_responses.{{ response }}, 0) as {{ response }},
        {%- endfor %}

        message_classes.is_promotional,
        ghost_deliveries.delivery_id is not null as is_ghost
    from deliveries
    left join profile_people
        on deliveries.profile_key = profile_people.profile_key
    left join later_responses
        on deliveries.delivery_id = later_responses.delivery_id
    left join ghost_deliveries
        on deliveries.delivery_id = ghost_deliveries.delivery_id
    left join message_classes
        on {{ message_key('deliveries') }} = message_classes.message_key
)

select * from final
