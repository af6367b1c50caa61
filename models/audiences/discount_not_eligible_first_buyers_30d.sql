with orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and order_number = 1
        and {{ in_window('ordered_at', 30, 'day') }}
),

-- Decided by the first order alone, so that what they do later never moves them between the two.
final as (
    select
        person_id,
        ordered_at as entered_at,
        ordered_at + interval 30 day as expires_at,
        'placed the first order in 30 days at a discount' as reason
    from orders
    where discount_amount > 0
)

select * from final
