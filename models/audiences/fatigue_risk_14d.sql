with person_fatigue as (
    select * from {{ ref('person_fatigue') }}
    where messages_14d >= {{ var('fatigue_risk_messages') }} and clicks_14d = 0
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where exposed_at between {{ window_start(14, 'day') }} and {{ as_of() }}
),

recent_deliveries as (
    select
        deliveries.person_id,
        deliveries.delivery_id,
        deliveries.exposed_at
    from deliveries
    inner join person_fatigue
        on deliveries.person_id = person_fatigue.person_id
),

thresholds as (
    {{ people_with_at_least(
        var('fatigue_risk_messages'), 'recent_deliveries', 'exposed_at', 'delivery_id'
    ) }}
),

final as (
    select
        person_fatigue.person_id,
        thresholds.filled_at as entered_at,
        thresholds.holding_at + interval 14 day as expires_at,
        'received ' || cast(person_fatigue.messages_14d as {{ dbt.type_string() }})
        || ' messages in 14 days and clicked none' as reason
    from person_fatigue
    inner join thresholds
        on person_fatigue.person_id = thresholds.person_id
)

select * from final
