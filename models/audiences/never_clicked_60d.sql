with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null and exposed_at <= {{ as_of() }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where occurred_at <= {{ as_of() }}
),

received as (
    select
        person_id,
        min(exposed_at) as first_exposed_at,
        count(*) as messages
    from deliveries
    group by person_id
),

final as (
    select
        person_id,
        first_exposed_at + interval 60 day as entered_at,
        cast(null as timestamp) as expires_at,
        'received ' || cast(messages as {{ dbt.type_string() }})
        || ' messages in 60 days or more and never clicked' as reason
    from received
    where
        first_exposed_at <= {{ window_start(60, 'day') }}
        and person_id not in (select human_clicks.person_id from human_clicks)
)

select * from final
