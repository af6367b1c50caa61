with orders as (
    select * from {{ ref('stg_commerce__orders') }}
),

refunds as (
    select * from {{ ref('stg_commerce__refunds') }}
),

-- For companies without another order feed. Should there be one all the same, its word stands.
mparticle_orders as (
    select * from {{ ref('int_mparticle_orders') }}
    where
        {{ var('orders_from_mparticle') }}
        and order_id not in (select orders.order_id from orders)
),

refunded as (
    select
        order_id,
        sum(amount) as refunded_amount,
        min(refunded_at) as first_refunded_at
    from refunds
    group by order_id
),

final as (
    select
        orders.order_id,
        orders.profile_key,
        orders.currency,
        orders.discount_code,
        orders.ordered_at,
        refunded.first_refunded_at,
        orders.total_amount,
        orders.discount_amount,
        cast(coalesce(refunded.refunded_amount, 0) as decimal(18, 4)) as refunded_amount,
        orders.is_cancelled
    from orders
    left join refunded
        on orders.order_id = refunded.order_id

    union all

    select
        order_id,
        profile_key,
        currency,
        discount_code,
        ordered_at,
        first_refunded_at,
        total_amount,
        discount_amount,
        refunded_amount,
        is_cancelled
    from mparticle_orders
)

select * from final
