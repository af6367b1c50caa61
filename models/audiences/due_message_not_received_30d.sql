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

missed as (
    select
        person_id,
        min(first_event_at) as first_due_at,
        max(first_event_at) as last_due_at,
        count(*) as messages,
        count(exposed_at) as received_messages
    from due
    group by person_id
),

final as (
    select
        person_id,
        first_due_at as entered_at,
        last_due_at + interval 30 day as expires_at,
        'was due ' || cast(messages as {{ dbt.type_string() }})
        || ' messages in 30 days and received none' as reason
    from missed
    where received_messages = 0
)

select * from final
