{{ config(materialized='view') }}

-- Orders are read once for every experiment: what everyone in one bought before and after.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where not is_mixed
),

orders as (
    select * from {{ ref('orders') }}
    where
        not is_cancelled
        and person_id is not null
        and ordered_at <= {{ as_of() }}
),

order_items as (
    select * from {{ ref('order_items') }}
),

refunds as (
    select * from {{ ref('int_refunds') }}
),

-- Every order is followed equally long for refunds, or early buyers would have given back more.
refunded as (
    select
        orders.order_id,
        cast(sum(refunds.amount) as decimal(18, 4)) as refunded_amount
    from orders
    inner join refunds
        on
            orders.order_id = refunds.order_id
            and refunds.refunded_at < {{ add_hours(
                'orders.ordered_at', var('refund_window_hours')
            ) }}
    group by orders.order_id
),

-- The cost of an order is known when that of every line is.
costs as (
    select
        order_id,
        cast(sum(cost_amount) as decimal(18, 4)) as cost_amount
    from order_items
    group by order_id
    having count(cost_amount) = count(*)
),

final as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        orders.order_id,
        orders.ordered_at,
        -- Where a rate is known, everything counts in the reporting currency, at the order's rate.
        coalesce(orders.reporting_currency, orders.currency) as currency,
        coalesce(orders.reporting_total_amount, orders.total_amount) as total_amount,
        coalesce(
            cast(
                refunded.refunded_amount * orders.reporting_total_amount
                / nullif(orders.total_amount, 0) as decimal(18, 4)
            ),
            refunded.refunded_amount,
            0
        ) as refunded_amount,
        coalesce(
            cast(
                costs.cost_amount * orders.reporting_total_amount
                / nullif(orders.total_amount, 0) as decimal(18, 4)
            ),
            costs.cost_amount
        ) as cost_amount,
        orders.ordered_at < experiment_people.index_at as is_before,
        orders.ordered_at < experiment_people.index_at
        and orders.ordered_at >= {{ add_hours(
            'experiment_people.index_at', '-' ~ var('pre_period_hours')
        ) }} as is_in_pre_period,
        orders.ordered_at >= experiment_people.index_at
        and orders.ordered_at < experiment_people.window_ends_at as is_in_window,
        orders.ordered_at >= experiment_people.index_at
        and orders.ordered_at < {{ add_hours('experiment_people.index_at', 720) }} as is_in_30d
    from experiment_people
    inner join orders
        on experiment_people.person_id = orders.person_id
    left join refunded
        on orders.order_id = refunded.order_id
    left join costs
        on orders.order_id = costs.order_id
)

select * from final
