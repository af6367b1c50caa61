-- All of history: a refund may be of an order of any year.
with refunds as (
    select * from {{ ref('stg_commerce__refunds') }}
    where refunded_at <= {{ as_of() }}
),

orders as (
    select * from {{ ref('int_placed_orders') }}
),

-- For companies without another order feed; of reports that agree in amount, one counts.
mparticle_refunds as (
    select
        transaction_id as order_id,
        amount,
        min(occurred_at) as refunded_at
    from {{ ref('int_behaviour_events') }}
    where
        {{ var('orders_from_mparticle') }}
        and event_type = 'commerce_event'
        and product_action = 'refund'
        and environment <> 'development'
        and transaction_id is not null
        and occurred_at <= {{ as_of() }}
    group by transaction_id, amount
),

-- Money in another currency than the order's is never taken off it: what it was worth that day the
-- shop alone knows.
compared as (
    select
        refunds.*,
        orders.total_amount as order_amount,
        coalesce(refunds.currency <> orders.currency, false) as is_other_currency,
        sum(refunds.amount) over (partition by refunds.order_id) as amounts_of_order,
        row_number() over (
            partition by refunds.order_id, refunds.amount is null
            order by refunds.refunded_at, refunds.refund_id
        ) as refund_rank
    from refunds
    left join orders
        on refunds.order_id = orders.order_id
),

-- A refund of all of an order gives back what smaller ones had left of it, and once.
final as (
    select
        refund_id,
        order_id,
        refunded_at,
        is_full,
        is_other_currency,
        cast(
            case
                when is_other_currency then 0
                when amount is not null then amount
                when refund_rank = 1
                    then greatest(coalesce(order_amount, 0) - coalesce(amounts_of_order, 0), 0)
                else 0
            end as decimal(18, 4)
        ) as amount
    from compared

    union all

    select
        order_id || '|' || cast(amount as {{ dbt.type_string() }}) as refund_id,
        order_id,
        refunded_at,
        false as is_full,
        false as is_other_currency,
        amount
    from mparticle_refunds
    where
        order_id not in (
            select refunds.order_id
            from refunds
            where refunds.order_id is not null
        )
)

select * from final
