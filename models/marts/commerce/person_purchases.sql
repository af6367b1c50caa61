{%- set in_reporting = 'reporting_' if var('reporting_currency') else '' -%}

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
        count(distinct {{ in_reporting }}currency) as currencies,
        max({{ in_reporting }}currency) as currency,
        sum({{ in_reporting }}total_amount) as total_amount,
        sum({{ in_reporting }}refunded_amount) as refunded_amount,
        count({{ in_reporting }}total_amount) as counted_orders
    from orders
    group by person_id
),

-- Amounts in several currencies are never added up, unless all were converted into one; what has
-- no rate is left out of the amounts, and counted.
final as (
    select
        person_id,
        first_ordered_at,
        last_ordered_at,
        orders,
        orders - counted_orders as unconverted_orders,
        case when currencies <= 1 then currency end as currency,
        case when currencies <= 1 then cast(total_amount as decimal(18, 4)) end as total_amount,
        case
            when currencies <= 1 then cast(refunded_amount as decimal(18, 4))
        end as refunded_amount,
        case
            when currencies <= 1 then cast(total_amount as double) / nullif(counted_orders, 0)
        end as average_order_value
    from totals
)

select * from final
