with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null
),

-- Everyone a message was made for, the trapped ones of held-out people included.
due as (
    select
        person_id,
        first_event_at,
        exposed_at
    from deliveries
    where {{ in_window('coalesce(exposed_at, first_event_at)', 30, 'day') }}
),

received as (
    select
        person_id,
        min(exposed_at) as first_exposed_at,
        max(exposed_at) as last_exposed_at,
        count(*) as messages
    from due
    where exposed_at is not null
    group by person_id
),

final as (
    select
        person_id,
        first_exposed_at as entered_at,
        last_exposed_at + interval 30 day as expires_at,
        'received ' || cast(messages as {{ dbt.type_string() }}) || ' messages in 30 days' as reason
    from received
)

select * from final
