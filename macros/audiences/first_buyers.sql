{#-
    An audience of everyone whose first order, in 30 days, the condition `orders` says, for `reason`.
    Decided by the first order alone, so that what they do later never moves them.
-#}
{%- macro first_buyers(orders, reason) -%}
with orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and order_number = 1
        and {{ in_window('ordered_at', 30, 'day') }}
),

final as (
    select
        person_id,
        ordered_at as entered_at,
        ordered_at + interval 30 day as expires_at,
        'placed the first order in 30 days {{ reason }}' as reason
    from orders
    where {{ orders }}
)

select * from final
{%- endmacro -%}
