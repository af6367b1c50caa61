with refunds as (
    select * from {{ ref('stg_commerce__refunds') }}
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
    group by transaction_id, amount
),

final as (
    select
        refund_id,
        order_id,
        refunded_at,
        amount
    from refunds

    union all

    select
        order_id || '|' || cast(amount as {{ dbt.type_string() }}) as refund_id,
        order_id,
        refunded_at,
        amount
    from mparticle_refunds
    where order_id not in (select refunds.order_id from refunds where refunds.order_id is not null)
)

select * from final
