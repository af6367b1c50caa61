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

bounces as (
    select
        person_id,
        delivery_id,
        bounced_at
    from deliveries
    where {{ in_window('bounced_at', 90, 'day') }}
),

bounced as (
    {{ people_with_at_least(2, 'bounces', 'bounced_at', 'delivery_id') }}
),

-- Twice the messages that make a risk of fatigue; enough of them gone, so is the risk.
messages as (
    select
        deliveries.person_id,
        deliveries.delivery_id,
        deliveries.exposed_at
    from deliveries
    inner join person_fatigue
        on deliveries.person_id = person_fatigue.person_id
    where {{ in_window('deliveries.exposed_at', 14, 'day') }}
),

pressed as (
    {{ people_with_at_least(
        2 * var('fatigue_risk_messages'), 'messages', 'exposed_at', 'delivery_id'
    ) }}
),

risks as (
    select * from complaints

    union all

    select
        person_id,
        'bounced twice or more in 90 days' as risk,
        filled_at as entered_at,
        holding_at + interval 90 day as expires_at
    from bounced

    union all

    select
        person_id,
        'received twice the messages of a fatigue risk and clicked none' as risk,
        filled_at as entered_at,
        holding_at + interval 14 day as expires_at
    from pressed
),

final as (
    select
        person_id,
        min(entered_at) as entered_at,
        max(expires_at) as expires_at,
        max_by(risk, (expires_at, risk)) as reason
    from risks
    group by person_id
)

select * from final
