with orders as (
    select * from {{ ref('orders') }}
),

totals as (
    select
        coalesce(currency, '') as currency,
        count(*) as orders,
        count(reporting_total_amount) as converted_orders,
        sum(total_amount) filter (where reporting_total_amount is null) as unconverted_amount,
        min(ordered_on) filter (where reporting_total_amount is null) as first_unconverted_on,
        max(ordered_on) filter (where reporting_total_amount is null) as last_unconverted_on,
        sum(unconverted_refunds) as unconverted_refunds
    from orders
    where not is_cancelled
    group by currency
),

final as (
    select
        currency,

        first_unconverted_on,
        last_unconverted_on,

        orders,
        converted_orders,
        orders - converted_orders as unconverted_orders,
        cast(coalesce(unconverted_amount, 0) as decimal(18, 4)) as unconverted_amount,
        cast(unconverted_refunds as bigint) as unconverted_refunds
    from totals
)

select * from final
