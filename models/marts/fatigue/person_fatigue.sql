with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and exposed_at <= {{ as_of() }}
),

clicks as (
    select * from {{ ref('message_events') }}
    where
        person_id is not null
        and metric = 'clicked'
        and is_human
        and not is_ghost
        and occurred_at <= {{ as_of() }}
),

pressure as (
    select
        person_id,
        max(exposed_at) as last_exposed_at,
        count(*) filter (where exposed_at >= {{ window_start(1, 'day') }}) as messages_1d,
        count(*) filter (where exposed_at >= {{ window_start(7, 'day') }}) as messages_7d,
        count(*) filter (where exposed_at >= {{ window_start(14, 'day') }}) as messages_14d,
        count(*) filter (where exposed_at >= {{ window_start(30, 'day') }}) as messages_30d
    from deliveries
    group by person_id
),

responses as (
    select
        person_id,
        max(occurred_at) as last_clicked_at,
        count(*) filter (where occurred_at >= {{ window_start(1, 'day') }}) as clicks_1d,
        count(*) filter (where occurred_at >= {{ window_start(7, 'day') }}) as clicks_7d,
        count(*) filter (where occurred_at >= {{ window_start(14, 'day') }}) as clicks_14d,
        count(*) filter (where occurred_at >= {{ window_start(30, 'day') }}) as clicks_30d
    from clicks
    group by person_id
),

final as (
    select
        pressure.person_id,
        pressure.last_exposed_at,
        responses.last_clicked_at,
        pressure.messages_1d,
        pressure.messages_7d,
        pressure.messages_14d,
        pressure.messages_30d,
        coalesce(responses.clicks_1d, 0) as clicks_1d,
        coalesce(responses.clicks_7d, 0) as clicks_7d,
        coalesce(responses.clicks_14d, 0) as clicks_14d,
        coalesce(responses.clicks_30d, 0) as clicks_30d,
        case
            when pressure.messages_14d = 0 then 'rested'
            when coalesce(responses.clicks_14d, 0) > 0 then 'responsive'
            when pressure.messages_14d < {{ var('fatigue_risk_messages') }} then 'quiet'
            else 'fatigued'
        end as tier
    from pressure
    left join responses
        on pressure.person_id = responses.person_id
)

select * from final
