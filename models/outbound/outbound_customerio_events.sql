with behaviour_events as (
    select * from {{ ref('behaviour_events') }}
    -- What is stamped with a later time waits until it has come.
    where
        outgoing_name <> ''
        and occurred_at <= {{ as_of() }}
        and coalesce(environment, 'production') <> 'development'
),

people as (
    select * from {{ ref('people') }}
),

described as (
    select
        behaviour_events.behaviour_event_id,
        behaviour_events.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        coalesce(
            {{ mparticle_profile_key('people.customer_id', 'people.email') }},
            behaviour_events.forwarding_profile_key
        ) as profile_key,
        behaviour_events.event_type,
        behaviour_events.occurred_at,
        behaviour_events.outgoing_name,
        coalesce(behaviour_events.attributes, '{}') as payload
    from behaviour_events
    left join people
        on behaviour_events.person_id = people.person_id
),

final as (
    select
        behaviour_event_id as record_key,
        person_id,
        customer_id,
        email,
        cio_id,
        profile_key,
        event_type,
        occurred_at,
        outgoing_name as label,
        payload,
        md5(outgoing_name || payload) as fingerprint
    from described
)

select * from final
