{%- set horizons = [30, 60, 90, 180] -%}

with first_orders as (
    select * from {{ ref('orders') }}
    where order_number = 1 and ordered_at <= {{ as_of() }}
),

second_orders as (
    select * from {{ ref('orders') }}
    where order_number = 2 and ordered_at <= {{ as_of() }}
),

timed as (
    select
        first_orders.person_id,
        first_orders.ordered_at,
        cast({{ dbt.date_trunc('month', 'first_orders.ordered_on') }} as date) as first_month_on,
        second_orders.ordered_at as second_ordered_at,
        {{ dbt.datediff('first_orders.ordered_at', 'second_orders.ordered_at', 'second') }}
        / 86400.0e0 as days_to_second
    from first_orders
    left join second_orders
        on first_orders.person_id = second_orders.person_id
),

final as (
    select
        first_month_on,
        {%- for days in horizons %}
        case
            when max(ordered_at) <= {{ window_start(days, 'day') }}
                then cast(count(*) filter (
                    where second_ordered_at <= ordered_at + interval {{ days }} day
                ) as double) / nullif(count(*), 0)
        end as second_order_rate_{{ days }}d,
        {%- endfor %}
        count(*) as customers,
        count(second_ordered_at) as second_orders,
        cast(median(days_to_second) as double) as median_days_to_second
    from timed
    group by first_month_on
)

select * from final
