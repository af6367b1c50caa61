-- From the first winback message a person was due, trapped ones of held-out people included: who
-- ordered within the days that follow, and where they came from.
-- All of history: somebody's first winback message may be years old, and a merge makes another the
-- first.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and message_class = 'winback'
        and coalesce(exposed_at, first_event_at) <= {{ window_start(var('winback_days'), 'day') }}
        and (exposed_at is not null or is_ghost)
),

orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and not is_cancelled
        and ordered_at <= {{ as_of() }}
),

person_origins as (
    select * from {{ ref('int_person_origins') }}
),

product_events as (
    select * from {{ ref('int_product_events') }}
    where is_purchase
),

due as (
    select
        person_id,
        delivery_id,
        is_ghost,
        coalesce(exposed_at, first_event_at) as due_at
    from deliveries
),

-- Whoever was held out of the first stays so, whatever came later: what follows is no accident.
first_messages as (
    select
        person_id,
        min(due_at) as due_at,
        min_by(delivery_id, (due_at, delivery_id)) as delivery_id,
        min_by(is_ghost, (due_at, delivery_id)) as is_held_out
    from due
    group by person_id
),

-- Of several kinds in one order the first by name, so that no two builds differ.
first_products as (
    select
        person_id,
        min_by(product_category, (occurred_at, product_category)) as product_category
    from product_events
    group by person_id
),

returned as (
    select
        first_messages.person_id,
        first_messages.delivery_id,
        first_messages.due_at,
        first_messages.is_held_out,
        max(case
            when orders.order_number = 1 and orders.discount_amount > 0 then 'discounted'
            when orders.order_number = 1 then 'full_price'
        end) as first_price,
        coalesce(
            bool_or(
                orders.ordered_at > first_messages.due_at
                and orders.ordered_at
                <= first_messages.due_at + interval {{ var('winback_days') }} day
            ),
            false
        ) as has_come_back
    from first_messages
    left join orders
        on first_messages.person_id = orders.person_id
    group by
        first_messages.person_id,
        first_messages.delivery_id,
        first_messages.due_at,
        first_messages.is_held_out
),

final as (
    select
        returned.person_id,
        returned.delivery_id,
        coalesce(person_origins.acquisition_channel, 'unknown') as acquisition_channel,
        coalesce(first_products.product_category, 'unknown') as first_product_category,
        coalesce(returned.first_price, 'no order') as first_price,
        returned.due_at,
        returned.is_held_out,
        returned.has_come_back
    from returned
    left join person_origins
        on returned.person_id = person_origins.person_id
    left join first_products
        on returned.person_id = first_products.person_id
)

select * from final
