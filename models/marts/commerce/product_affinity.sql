with product_events as (
    select * from {{ ref('int_product_events') }}
    where occurred_at <= {{ as_of() }}
),

counted as (
    select
        person_id,
        product_category,
        max(occurred_at) filter (where not is_purchase) as last_viewed_at,
        max(occurred_at) filter (where is_purchase) as last_purchased_at,
        count(*) filter (where not is_purchase) as views,
        count(*) filter (where is_purchase) as purchases
    from product_events
    group by person_id, product_category
),

-- What they bought says more than what they looked at.
final as (
    select
        person_id,
        product_category,
        last_viewed_at,
        last_purchased_at,
        views,
        purchases,
        row_number() over (
            partition by person_id
            order by
                purchases desc,
                views desc,
                last_purchased_at desc nulls last,
                product_category asc
        ) as affinity_rank
    from counted
)

select * from final
