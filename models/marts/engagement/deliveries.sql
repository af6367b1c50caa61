{{ config(materialized='view') }}

{%- set milestones = [
    'first_opened_at', 'first_human_opened_at', 'first_clicked_at', 'first_human_clicked_at',
    'converted_at', 'bounced_at', 'dropped_at', 'undeliverable_at', 'failed_at', 'unsubscribed_at',
    'spammed_at'
] -%}
{%- set responses = ['human_opens', 'machine_opens', 'human_clicks', 'machine_clicks'] %}

with deliveries as (
    select * from {{ ref('int_person_deliveries') }}
    where coalesce(first_event_at <= {{ as_of() }}, true)
),

later_responses as (
    select * from {{ ref('int_later_responses') }}
),

final as (
    select
        deliveries.delivery_id,
        deliveries.person_id,
        deliveries.profile_key,
        deliveries.campaign_id,
        deliveries.broadcast_id,
        deliveries.newsletter_id,
        deliveries.transactional_message_id,
        deliveries.action_id,
        deliveries.parent_action_id,
        deliveries.content_id,
        deliveries.journey_id,
        deliveries.message_key,

        deliveries.object_type,
        deliveries.channel,
        deliveries.message_class,
        deliveries.feeds,

        deliveries.first_event_at,
        -- A milestone is the first of its kind: one after `as_of` was not reached by then.
        {%- for milestone in ['drafted_at', 'attempted_at', 'sent_at', 'delivered_at'] %}
        case when deliveries.{{ milestone }} <= {{ as_of() }} then deliveries.{{ milestone }} end
            as {{ milestone }},
        {%- endfor %}
        -- A trapped delivery reaches nobody, whatever its feed says of it.
        case
            when not deliveries.is_ghost and deliveries.exposed_at <= {{ as_of() }}
                then deliveries.exposed_at
        end as exposed_at,
        {%- for milestone in milestones %}
        case when deliveries.{{ milestone }} <= {{ as_of() }} then deliveries.{{ milestone }} end
            as {{ milestone }},
        {%- endfor %}
        {%- for response in responses %}
        deliveries.{{ response }} - coalesce(later_responses.{{ response }}, 0) as {{ response }},
        {%- endfor %}

        deliveries.is_promotional,
        deliveries.is_ghost
    from deliveries
    left join later_responses
        on deliveries.delivery_id = later_responses.delivery_id
)

select * from final
