with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel = 'email'
        and {{ in_window('exposed_at', 14, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel = 'email' and {{ in_window('occurred_at', 14, 'day') }}
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', 14, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

received as (
    {{ received_people('deliveries', 'exposed_at') }}
),

final as (
    select
        person_id,
        first_received_at as entered_at,
        last_received_at + interval 14 day as expires_at,
        'received ' || cast(messages as {{ dbt.type_string() }})
        || ' e-mails in 14 days, clicked none and ordered nothing' as reason
    from received
    where
        person_id not in (select human_clicks.person_id from human_clicks)
        and person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
