{{ config(materialized='view') }}

with behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

final as (
    select
        behaviour_events.behaviour_event_id,
        behaviour_events.event_id,
        behaviour_events.batch_id,
        behaviour_events.session_id,
        profile_people.person_id,
        behaviour_events.profile_key,
        {{ mparticle_profile_key('behaviour_events.customer_id', 'behaviour_events.email') }}
            as forwarding_profile_key,
        behaviour_events.customer_id,
        behaviour_events.email,
        behaviour_events.mpid,
        behaviour_events.device_id,
        behaviour_events.transaction_id,

        behaviour_events.event_type,
        behaviour_events.event_name,
        behaviour_events.outgoing_name,
        behaviour_events.custom_event_type,
        behaviour_events.product_action,
        behaviour_events.product_ids,
        behaviour_events.product_categories,
        behaviour_events.products,
        behaviour_events.attributes,
        behaviour_events.environment,

        behaviour_events.occurred_at,

        behaviour_events.currency,
        behaviour_events.amount,

        behaviour_events.is_purchase
    from behaviour_events
    left join profile_people
        on behaviour_events.profile_key = profile_people.profile_key
)

select * from final
