-- What people viewed and bought, a row each kind of product. What an order's own lines say of it
-- stands; purchases in the app's events count where there are none.
-- All of history: an order's own lines put old events of it aside whenever they come.
with behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
    where
        product_categories is not null
        and environment = 'production'
        and (is_purchase or product_action = 'view_detail')
),

order_items as (
    select * from {{ ref('stg_commerce__order_items') }}
    where product_family is not null
),

orders as (
    select * from {{ ref('int_orders') }}
    where not is_cancelled
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

listed as (
    select
        behaviour_event_id as product_event_id,
        profile_key,
        occurred_at,
        is_purchase,
        {{ json_list_rows('product_categories') }} as product_category
    from behaviour_events
    where
        not is_purchase
        or transaction_id is null
        or transaction_id not in (select order_items.order_id from order_items)
),

named as (
    select
        product_event_id,
        profile_key,
        occurred_at,
        is_purchase,
        product_category
    from listed

    union all

    select
        order_items.order_id as product_event_id,
        orders.profile_key,
        orders.ordered_at as occurred_at,
        true as is_purchase,
        order_items.product_family as product_category
    from order_items
    inner join orders
        on order_items.order_id = orders.order_id
),

final as (
    select
        named.product_event_id,
        profile_people.person_id,
        lower(trim(named.product_category)) as product_category,
        named.occurred_at,
        named.is_purchase
    from named
    inner join profile_people
        on named.profile_key = profile_people.profile_key
    where named.product_category is not null
    group by
        named.product_event_id,
        profile_people.person_id,
        lower(trim(named.product_category)),
        named.occurred_at,
        named.is_purchase
)

select * from final
