-- What people viewed and bought, a row each kind of product. A text list of several makes several.
with behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
    where
        product_categories is not null
        and environment = 'production'
        and (is_purchase or product_action = 'view_detail')
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

listed as (
    select
        behaviour_event_id,
        profile_key,
        occurred_at,
        is_purchase,
        {{ json_list_rows('product_categories') }} as product_category
    from behaviour_events
),

final as (
    select
        listed.behaviour_event_id,
        profile_people.person_id,
        lower(trim(listed.product_category)) as product_category,
        listed.occurred_at,
        listed.is_purchase
    from listed
    inner join profile_people
        on listed.profile_key = profile_people.profile_key
    where listed.product_category is not null
    group by
        listed.behaviour_event_id,
        profile_people.person_id,
        lower(trim(listed.product_category)),
        listed.occurred_at,
        listed.is_purchase
)

select * from final
