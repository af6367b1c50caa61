with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and message_class = 'cart'
        and not is_ghost
        and {{ in_window('first_human_opened_at', 3, 'day') }}
),

cart_clicks as (
    select * from {{ ref('human_clicks') }}
    where message_class = 'cart' and {{ in_window('occurred_at', 3, 'day') }}
),

opened as (
    select
        person_id,
        min(first_human_opened_at) as first_opened_at,
        max(first_human_opened_at) as last_opened_at,
        count(*) as messages
    from deliveries
    group by person_id
),

final as (
    select
        person_id,
        first_opened_at as entered_at,
        last_opened_at + interval 3 day as expires_at,
        'opened ' || cast(messages as {{ dbt.type_string() }})
        || ' cart messages in 3 days and clicked none' as reason
    from opened
    where person_id not in (select cart_clicks.person_id from cart_clicks)
)

select * from final
