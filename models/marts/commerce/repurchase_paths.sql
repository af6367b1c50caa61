{%- set horizons = [30, 60, 90, 180] -%}

-- From one order to the next. Only orders old enough for a horizon count towards its share, so that
-- young cohorts do not look disloyal.
with orders as (
    select
        *,
        lead(ordered_at) over (partition by person_id order by order_number) as next_ordered_at
    from {{ ref('orders') }}
    where
        order_number is not null
        and ordered_at <= {{ as_of() }}
),

stepped as (
    select
        least(order_number, 5) as from_order_number,
        case when discount_amount > 0 then 'discounted' else 'full_price' end as from_price,
        ordered_at,
        next_ordered_at,
        {{ dbt.datediff('ordered_at', 'next_ordered_at', 'second') }}
        / 86400.0e0 as days_to_next
    from orders
),

counted as (
    select
        from_order_number,
        from_price,
        {%- for days in horizons %}
        count(*) filter (
            where ordered_at <= {{ window_start(days, 'day') }}
        ) as mature_orders_{{ days }}d,
        count(*) filter (
            where
            ordered_at <= {{ window_start(days, 'day') }}
            and next_ordered_at <= ordered_at + interval {{ days }} day
        ) as repurchases_{{ days }}d,
        {%- endfor %}
        count(*) as orders,
        count(next_ordered_at) as repurchases,
        median(days_to_next) as median_days_to_next
    from stepped
    group by from_order_number, from_price
),

final as (
    select
        cast(from_order_number as bigint) as from_order_number,
        from_price,
        orders,
        repurchases,
        cast(median_days_to_next as double) as median_days_to_next,
        {%- for days in horizons %}
        mature_orders_{{ days }}d,
        repurchases_{{ days }}d,
        cast(repurchases_{{ days }}d as double) / nullif(mature_orders_{{ days }}d, 0)
            as repurchase_rate_{{ days }}d,
        {%- endfor %}
        from_order_number = 5 as is_or_more
    from counted
)

select * from final
