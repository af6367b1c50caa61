-- How long after a purchase somebody is due depends on what was bought; the company's seeds say.
with product_events as (
    select * from {{ ref('int_product_events') }}
    where is_purchase and occurred_at <= {{ as_of() }}
),

product_cycles as (
    select * from {{ ref('product_cycles') }}
),

buying_cycles as (
    select * from {{ ref('buying_cycles') }}
),

purchases as (
    select
        person_id,
        product_category,
        max(occurred_at) as last_purchased_at,
        count(*) as purchases
    from product_events
    group by person_id, product_category
),

final as (
    select
        purchases.person_id,
        purchases.product_category,
        product_cycles.buying_cycle,
        buying_cycles.stage,
        purchases.last_purchased_at,
        {{ add_hours('purchases.last_purchased_at', 'buying_cycles.from_days * 24') }}
            as entered_at,
        {{ add_hours('purchases.last_purchased_at', 'buying_cycles.to_days * 24') }}
            as ends_at,
        purchases.purchases
    from purchases
    inner join product_cycles
        on purchases.product_category = lower(trim(product_cycles.product_category))
    inner join buying_cycles
        on
            product_cycles.buying_cycle = buying_cycles.buying_cycle
            and {{ add_hours('purchases.last_purchased_at', 'buying_cycles.from_days * 24') }}
            <= {{ as_of() }}
            and {{ add_hours('purchases.last_purchased_at', 'buying_cycles.to_days * 24') }}
            > {{ as_of() }}
)

select * from final
