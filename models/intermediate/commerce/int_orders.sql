with orders as (
    select * from {{ ref('int_placed_orders') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

cancellations as (
    select * from {{ ref('stg_commerce__cancellations') }}
    where cancelled_at <= {{ as_of() }}
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
        min(refunded_at) as first_refunded_at,
        count(*) filter (where is_other_currency) as unconverted_refunds
    from refunds
    group by order_id
),

final as (
    select
        orders.order_id,
        orders.profile_key,
        orders.currency,
        orders.discount_code,
        orders.acquisition_channel,
        orders.ordered_at,
        cancellations.cancelled_at,
        refunded.first_refunded_at,
        orders.total_amount,
        orders.discount_amount,
        cast(coalesce(refunded.refunded_amount, 0) as decimal(18, 4)) as refunded_amount,
        coalesce(refunded.unconverted_refunds, 0) as unconverted_refunds,
        orders.is_cancelled or cancellations.order_id is not null as is_cancelled
    from orders
    left join refunded
        on orders.order_id = refunded.order_id
    left join cancellations
        on orders.order_id = cancellations.order_id

    union all

    select
        mparticle_orders.order_id,
        mparticle_orders.profile_key,
        mparticle_orders.currency,
        mparticle_orders.discount_code,
        cast(null as {{ dbt.type_string() }}) as acquisition_channel,
        mparticle_orders.ordered_at,
        cancellations.cancelled_at,
        mparticle_orders.first_refunded_at,
        mparticle_orders.total_amount,
        mparticle_orders.discount_amount,
        mparticle_orders.refunded_amount,
        cast(0 as bigint) as unconverted_refunds,
        mparticle_orders.is_cancelled or cancellations.order_id is not null as is_cancelled
    from mparticle_orders
    left join cancellations
        on mparticle_orders.order_id = cancellations.order_id
)

select * from final
