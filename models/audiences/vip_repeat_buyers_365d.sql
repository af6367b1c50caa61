with orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and not is_cancelled
        and {{ in_window('ordered_at', 365, 'day') }}
),

numbered as (
    select
        *,
        row_number() over (
            partition by person_id, currency
            order by ordered_at, order_id
        ) as number_in_window,
        row_number() over (
            partition by person_id, currency
            order by ordered_at desc, order_id desc
        ) as number_from_newest
    from orders
),

buyers as (
    select
        person_id,
        currency,
        max(ordered_at) filter (
            where number_in_window = {{ var('vip_orders') }}
        ) as entered_at,
        max(ordered_at) filter (
            where number_from_newest = {{ var('vip_orders') }}
        ) as leaving_ordered_at,
        count(*) as orders,
        cast(sum(total_amount) as double) / nullif(count(*), 0) as average_order_value
    from numbered
    group by person_id, currency
),

-- Dear and cheap are relative to everyone who bought in that currency.
ranked as (
    select
        *,
        percent_rank() over (
            partition by currency
            order by average_order_value
        ) as value_rank
    from buyers
),

final as (
    select
        person_id,
        min(entered_at) as entered_at,
        max(leaving_ordered_at) + interval 365 day as expires_at,
        'ordered ' || cast(max(orders) as {{ dbt.type_string() }})
        || ' times in 365 days, of high value' as reason
    from ranked
    where orders >= {{ var('vip_orders') }} and value_rank >= {{ var('vip_value_rank') }}
    group by person_id
)

select * from final
