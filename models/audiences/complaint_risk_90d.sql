with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null
),

person_fatigue as (
    select * from {{ ref('person_fatigue') }}
    where messages_14d >= 2 * {{ var('fatigue_risk_messages') }} and clicks_30d = 0
),

complaints as (
    select
        person_id,
        'marked a message as spam in 90 days' as risk,
        min(spammed_at) as entered_at,
        max(spammed_at) + interval 90 day as expires_at
    from deliveries
    where {{ in_window('spammed_at', 90, 'day') }}
    group by person_id
),

numbered_bounces as (
    select
        person_id,
        bounced_at,
        row_number() over (
            partition by person_id
            order by bounced_at, delivery_id
        ) as bounce_number,
        row_number() over (
            partition by person_id
            order by bounced_at desc, delivery_id desc
        ) as bounce_number_from_newest
    from deliveries
    where {{ in_window('bounced_at', 90, 'day') }}
),

bounces as (
    select
        person_id,
        'bounced twice or more in 90 days' as risk,
        max(bounced_at) filter (where bounce_number = 2) as entered_at,
        max(bounced_at) filter (where bounce_number_from_newest = 2)
        + interval 90 day as expires_at
    from numbered_bounces
    group by person_id
    having count(*) >= 2
),

-- Twice the messages that make a risk of fatigue; enough of them gone, so is the risk.
numbered_messages as (
    select
        deliveries.person_id,
        deliveries.exposed_at,
        row_number() over (
            partition by deliveries.person_id
            order by deliveries.exposed_at, deliveries.delivery_id
        ) as message_number,
        row_number() over (
            partition by deliveries.person_id
            order by deliveries.exposed_at desc, deliveries.delivery_id desc
        ) as message_number_from_newest
    from deliveries
    inner join person_fatigue
        on deliveries.person_id = person_fatigue.person_id
    where {{ in_window('deliveries.exposed_at', 14, 'day') }}
),

pressed as (
    select
        person_id,
        'received twice the messages of a fatigue risk and clicked none' as risk,
        max(exposed_at) filter (
            where message_number = 2 * {{ var('fatigue_risk_messages') }}
        ) as entered_at,
        max(exposed_at) filter (
            where message_number_from_newest = 2 * {{ var('fatigue_risk_messages') }}
        ) + interval 14 day as expires_at
    from numbered_messages
    group by person_id
),

risks as (
    select * from complaints
    union all
    select * from bounces
    union all
    select * from pressed
),

final as (
    select
        person_id,
        min(entered_at) as entered_at,
        max(expires_at) as expires_at,
        max_by(risk, expires_at) as reason
    from risks
    group by person_id
)

select * from final
