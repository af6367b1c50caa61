with behaviour_events as (
    select * from {{ ref('behaviour_events') }}
    where
        person_id is not null
        and product_action = 'view_detail'
        and environment = 'production'
        and {{ in_window('occurred_at', 7, 'day') }}
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', 7, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

-- A view of a product's page carries that product alone, so its list of ids is the product.
numbered as (
    select
        person_id,
        product_ids,
        occurred_at,
        row_number() over (
            partition by person_id, product_ids
            order by occurred_at, behaviour_event_id
        ) as view_number,
        row_number() over (
            partition by person_id, product_ids
            order by occurred_at desc, behaviour_event_id desc
        ) as view_number_from_newest
    from behaviour_events
    where product_ids is not null
),

viewed as (
    select
        person_id,
        min(occurred_at) filter (where view_number = 2) as second_viewed_at,
        max(occurred_at) filter (where view_number_from_newest = 2) as second_newest_viewed_at,
        count(*) filter (where view_number = 2) as products
    from numbered
    group by person_id
),

final as (
    select
        person_id,
        second_viewed_at as entered_at,
        second_newest_viewed_at + interval 7 day as expires_at,
        'viewed ' || cast(products as {{ dbt.type_string() }})
        || ' products twice in 7 days and ordered nothing' as reason
    from viewed
    where
        products > 0
        and person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
