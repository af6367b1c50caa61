-- How many look at a category twice before they buy in it, and how many who look twice then buy.
with product_events as (
    select * from {{ ref('int_product_events') }}
    where occurred_at <= {{ as_of() }}
),

views as (
    select
        *,
        lag(occurred_at) over (
            partition by person_id, product_category
            order by occurred_at, product_event_id
        ) as last_viewed_at
    from product_events
    where not is_purchase
),

second_views as (
    select
        person_id,
        product_category,
        occurred_at
    from views
    where last_viewed_at >= occurred_at - interval {{ var('browse_pattern_days') }} day
),

purchases as (
    select
        product_event_id,
        person_id,
        product_category,
        occurred_at as purchased_at
    from product_events
    where is_purchase
),

-- Both views lie within the days before the purchase.
browsed as (
    select
        purchases.product_event_id,
        purchases.person_id,
        purchases.product_category,
        count(views.product_event_id) as times_viewed
    from purchases
    left join views
        on
            purchases.person_id = views.person_id
            and purchases.product_category = views.product_category
            and purchases.purchased_at > views.occurred_at
            and purchases.purchased_at
            <= views.occurred_at + interval {{ var('browse_pattern_days') }} day
    group by purchases.product_event_id, purchases.person_id, purchases.product_category
),

bought as (
    select
        product_category,
        count(*) as purchases,
        count(*) filter (where times_viewed >= 2) as browsed_twice_purchases,
        count(*) filter (where times_viewed = 0) as unseen_purchases
    from browsed
    group by product_category
),

followed as (
    select
        second_views.person_id,
        second_views.product_category,
        max(case when purchases.person_id is null then 0 else 1 end) as bought
    from second_views
    left join purchases
        on
            second_views.person_id = purchases.person_id
            and second_views.product_category = purchases.product_category
            and second_views.occurred_at < purchases.purchased_at
            and second_views.occurred_at
            >= purchases.purchased_at - interval {{ var('browse_pattern_days') }} day
    group by second_views.person_id, second_views.product_category
),

browsers as (
    select
        product_category,
        count(*) as people_browsed_twice,
        cast(sum(bought) as bigint) as people_bought_after
    from followed
    group by product_category
),

final as (
    select
        coalesce(bought.product_category, browsers.product_category) as product_category,
        coalesce(bought.purchases, 0) as purchases,
        coalesce(bought.browsed_twice_purchases, 0) as browsed_twice_purchases,
        coalesce(bought.unseen_purchases, 0) as unseen_purchases,
        coalesce(browsers.people_browsed_twice, 0) as people_browsed_twice,
        coalesce(browsers.people_bought_after, 0) as people_bought_after,
        cast(bought.browsed_twice_purchases as double) / nullif(bought.purchases, 0)
            as pattern_rate,
        cast(browsers.people_bought_after as double) / nullif(browsers.people_browsed_twice, 0)
            as bought_after_rate
    from bought
    full outer join browsers
        on bought.product_category = browsers.product_category
)

select * from final
