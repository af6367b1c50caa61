with order_items as (
    select * from {{ ref('stg_commerce__order_items') }}
),

orders as (
    select * from {{ ref('orders') }}
),

later_orders as (
    select order_id
    from {{ ref('stg_commerce__orders') }}
    where version_rank = 1 and ordered_at > {{ as_of() }}
),

final as (
    select
        order_items.order_item_id,
        order_items.order_id,
        orders.person_id,
        order_items.product_id,
        order_items.sku,
        order_items.product_name,
        order_items.product_family,
        orders.currency,

        orders.ordered_at,
        orders.ordered_on,

        orders.order_number,
        order_items.quantity,
        order_items.unit_price,
        order_items.discount_amount,
        order_items.total_amount,
        cast(order_items.unit_cost * order_items.quantity as decimal(18, 4)) as cost_amount,

        coalesce(orders.is_cancelled, false) as is_cancelled
    from order_items
    left join orders
        on order_items.order_id = orders.order_id
    where order_items.order_id not in (select later_orders.order_id from later_orders)
)

select * from final
