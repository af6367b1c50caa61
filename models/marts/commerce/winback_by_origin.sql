-- From the first winback message a person was due, trapped ones of held-out people included: who
-- ordered within the days that follow, and where they came from.
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

first_messages as (
    select
        person_id,
        min(coalesce(exposed_at, first_event_at)) as due_at,
        bool_and(is_ghost) as is_held_out
    from deliveries
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
        first_messages.is_held_out,
        max(case
            when orders.order_number = 1 and orders.discount_amount > 0 then 'discounted'
            when orders.order_number = 1 then 'full_price'
        end) as first_price,
        max(case
            when
                orders.ordered_at > first_messages.due_at
                and orders.ordered_at
                <= first_messages.due_at + interval {{ var('winback_days') }} day then 1
            else 0
        end) as came_back
    from first_messages
    left join orders
        on first_messages.person_id = orders.person_id
    group by first_messages.person_id, first_messages.is_held_out
),

described as (
    select
        returned.is_held_out,
        returned.came_back,
        coalesce(person_origins.acquisition_channel, 'unknown') as acquisition_channel,
        coalesce(first_products.product_category, 'unknown') as first_product_category,
        coalesce(returned.first_price, 'no order') as first_price
    from returned
    left join person_origins
        on returned.person_id = person_origins.person_id
    left join first_products
        on returned.person_id = first_products.person_id
),

by_origin as (
    {%- for origin in ['acquisition_channel', 'first_product_category', 'first_price'] %}
    {{ 'union all' if not loop.first }}
    select
        '{{ origin }}' as origin,
        {{ origin }} as origin_value,
        is_held_out,
        came_back
    from described
    {%- endfor %}
),

counted as (
    select
        origin,
        origin_value,
        count(*) filter (where not is_held_out) as people,
        cast(coalesce(sum(came_back) filter (where not is_held_out), 0) as bigint) as came_back,
        count(*) filter (where is_held_out) as held_out_people,
        cast(coalesce(sum(came_back) filter (where is_held_out), 0) as bigint)
            as held_out_came_back
    from by_origin
    group by origin, origin_value
),

final as (
    select
        origin,
        origin_value,
        people,
        came_back,
        cast(came_back as double) / nullif(people, 0) as winback_rate,
        {{ wilson_low('came_back', 'people') }} as winback_rate_low,
        {{ wilson_high('came_back', 'people') }} as winback_rate_high,
        held_out_people,
        held_out_came_back,
        cast(held_out_came_back as double) / nullif(held_out_people, 0) as held_out_rate
    from counted
)

select * from final
