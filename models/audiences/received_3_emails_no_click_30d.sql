with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel = 'email'
        and {{ in_window('exposed_at', 30, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel = 'email' and {{ in_window('occurred_at', 30, 'day') }}
),

received as (
    {{ people_with_at_least(3, 'deliveries', 'exposed_at', 'delivery_id') }}
),

final as (
    select
        person_id,
        filled_at as entered_at,
        holding_at + interval 30 day as expires_at,
        'received ' || cast(row_count as {{ dbt.type_string() }})
        || ' e-mails in 30 days and clicked none' as reason
    from received
    where person_id not in (select human_clicks.person_id from human_clicks)
)

select * from final
