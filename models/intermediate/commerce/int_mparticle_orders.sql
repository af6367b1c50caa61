-- Purchases of production alone: the events of a development build are nobody's orders.
-- All of history: the first report of a purchase stands, and it may come last.
with behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
    where
        event_type = 'commerce_event'
        and product_action in ('purchase', 'refund')
        and environment <> 'development'
        and occurred_at <= {{ as_of() }}
),

-- A purchase is often reported twice, by the app and by the server; the first report stands.
purchases as (
    select
        *,
        coalesce(transaction_id, behaviour_event_id) as order_id,
        row_number() over (
            partition by coalesce(transaction_id, behaviour_event_id)
            order by occurred_at asc, profile_key asc nulls last, behaviour_event_id asc
        ) as report_rank
    from behaviour_events
    where is_purchase
),

-- So is a refund: of reports that agree in amount, one counts.
refunds as (
    select
        transaction_id,
        amount,
        min(occurred_at) as refunded_at
    from behaviour_events
    where product_action = 'refund' and transaction_id is not null
    group by transaction_id, amount
),

refunded as (
    select
        transaction_id,
        sum(amount) as refunded_amount,
        min(refunded_at) as first_refunded_at
    from refunds
    group by transaction_id
),

final as (
    select
        purchases.order_id,
        purchases.profile_key,
        purchases.currency,
        cast(null as {{ dbt.type_string() }}) as discount_code,
        purchases.occurred_at as ordered_at,
        refunded.first_refunded_at,
        coalesce(purchases.amount, 0) as total_amount,
        cast(0 as decimal(18, 4)) as discount_amount,
        cast(coalesce(refunded.refunded_amount, 0) as decimal(18, 4)) as refunded_amount,
        false as is_cancelled
    from purchases
    left join refunded
        on purchases.transaction_id = refunded.transaction_id
    where purchases.report_rank = 1
)

select * from final
