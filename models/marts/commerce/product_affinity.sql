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
        count(*) filter (where not is_purchase) as times_viewed,
        count(*) filter (where is_purchase) as times_purchased
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
        times_viewed,
        times_purchased,
        row_number() over (
            partition by person_id
            order by
                times_purchased desc,
                times_viewed desc,
                last_purchased_at desc nulls last,
                product_category asc
        ) as affinity_rank
    from counted
)

select * from final
