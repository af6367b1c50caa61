-- An order is the last click's before it, so that no order counts twice; a click's own is the first
-- that follows it.
-- All of history: a merge or an order that comes late takes an old order from one click to another.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and first_human_clicked_at <= {{ as_of() }}
        and not is_ghost
),

orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and not is_cancelled
        and ordered_at <= {{ as_of() }}
),

followed as (
    select
        deliveries.delivery_id,
        orders.order_id,
        orders.ordered_at,
        orders.currency,
        orders.net_amount,
        row_number() over (
            partition by deliveries.delivery_id
            order by orders.ordered_at, orders.order_id
        ) as order_rank,
        row_number() over (
            partition by orders.order_id
            order by deliveries.first_human_clicked_at desc, deliveries.delivery_id desc
        ) as click_rank
    from deliveries
    inner join orders
        on
            deliveries.person_id = orders.person_id
            and deliveries.first_human_clicked_at <= orders.ordered_at
            and deliveries.first_human_clicked_at
            >= orders.ordered_at - interval {{ var('click_conversion_days') }} day
),

-- The first order after the click, whichever click it is put down to.
first_orders as (
    select * from followed
    where order_rank = 1
),

final as (
    select
        deliveries.delivery_id,
        deliveries.person_id,
        deliveries.campaign_id,
        deliveries.broadcast_id,
        deliveries.newsletter_id,
        deliveries.transactional_message_id,
        deliveries.action_id,
        deliveries.content_id,
        first_orders.order_id,

        deliveries.channel,
        deliveries.message_class,
        first_orders.currency,

        deliveries.first_human_clicked_at as clicked_at,
        first_orders.ordered_at,

        {{ dbt.datediff('deliveries.first_human_clicked_at', 'first_orders.ordered_at', 'second') }}
        / 3600.0e0 as hours_to_order,
        first_orders.net_amount,

        first_orders.order_id is not null as is_converted,
        coalesce(first_orders.click_rank = 1, false) as is_last_click,
        deliveries.first_human_clicked_at <= {{ window_start(var('click_conversion_days'), 'day') }}
            as is_mature
    from deliveries
    left join first_orders
        on deliveries.delivery_id = first_orders.delivery_id
)

select * from final
