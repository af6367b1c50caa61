with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where {{ in_window('occurred_at', 30, 'day') }}
),

orders as (
    select * from {{ ref('orders') }}
    where not is_cancelled and {{ in_window('ordered_at', 30, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

-- A click counts when an order came after it; they leave when the last such click is too old.
converted as (
    select
        human_clicks.person_id,
        min(orders.ordered_at) as first_ordered_at,
        max(human_clicks.occurred_at) as last_clicked_at,
        count(distinct orders.order_id) as orders
    from human_clicks
    inner join orders
        on
            human_clicks.person_id = orders.person_id
            and human_clicks.occurred_at <= orders.ordered_at
    group by human_clicks.person_id
),

final as (
    select
        person_id,
        first_ordered_at as entered_at,
        last_clicked_at + interval 30 day as expires_at,
        'clicked, then ordered ' || cast(orders as {{ dbt.type_string() }})
        || ' times in 30 days' as reason
    from converted
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
