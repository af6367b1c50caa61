with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel = 'sms'
        and {{ in_window('delivered_at', 7, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel = 'sms' and {{ in_window('occurred_at', 7, 'day') }}
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', 7, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('sms') }}
),

received as (
    {{ received_people('deliveries', 'delivered_at') }}
),

final as (
    select
        person_id,
        first_received_at as entered_at,
        last_received_at + interval 7 day as expires_at,
        'received ' || cast(messages as {{ dbt.type_string() }})
        || ' SMS in 7 days, clicked none and ordered nothing' as reason
    from received
    where
        person_id not in (select human_clicks.person_id from human_clicks)
        and person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
