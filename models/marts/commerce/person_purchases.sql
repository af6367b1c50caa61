with orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and not is_cancelled
        and ordered_at <= {{ as_of() }}
),

totals as (
    select
        person_id,
        count(*) as orders,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        count(distinct currency) as currencies,
        max(currency) as currency,
        sum(total_amount) as total_amount,
        sum(refunded_amount) as refunded_amount
    from orders
    group by person_id
),

-- Amounts in several currencies are never added up.
final as (
    select
        person_id,
        first_ordered_at,
        last_ordered_at,
        orders,
        case when currencies <= 1 then currency end as currency,
        case when currencies <= 1 then cast(total_amount as decimal(18, 4)) end as total_amount,
        case
            when currencies <= 1 then cast(refunded_amount as decimal(18, 4))
        end as refunded_amount,
        case
            when currencies <= 1 then cast(total_amount as double) / nullif(orders, 0)
        end as average_order_value
    from totals
)

select * from final
