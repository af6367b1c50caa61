with person_fatigue as (
    select * from {{ ref('person_fatigue') }}
    where messages_14d >= {{ var('fatigue_risk_messages') }} and clicks_14d = 0
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where exposed_at between {{ window_start(14, 'day') }} and {{ as_of() }}
),

-- The message that made the threshold full brought the person in; when it leaves the window from
-- behind, counted from the newest, the person leaves by the clock alone.
counted as (
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
),

thresholds as (
    select
        person_id,
        max(exposed_at) filter (
            where message_number = {{ var('fatigue_risk_messages') }}
        ) as entered_at,
        max(exposed_at) filter (
            where message_number_from_newest = {{ var('fatigue_risk_messages') }}
        ) as leaving_exposed_at
    from counted
    group by person_id
),

final as (
    select
        person_fatigue.person_id,
        thresholds.entered_at,
        thresholds.leaving_exposed_at + interval 14 day as expires_at,
        'received ' || cast(person_fatigue.messages_14d as {{ dbt.type_string() }})
        || ' messages in 14 days and clicked none' as reason
    from person_fatigue
    inner join thresholds
        on person_fatigue.person_id = thresholds.person_id
)

select * from final
