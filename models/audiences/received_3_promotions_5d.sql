with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and is_promotional
        and {{ in_window('exposed_at', 5, 'day') }}
),

-- The third promotion brings them in; when the third newest leaves the window, they leave.
numbered as (
    select
        person_id,
        exposed_at,
        row_number() over (
            partition by person_id
            order by exposed_at, delivery_id
        ) as promotion_number,
        row_number() over (
            partition by person_id
            order by exposed_at desc, delivery_id desc
        ) as promotion_number_from_newest
    from deliveries
),

received as (
    select
        person_id,
        max(exposed_at) filter (where promotion_number = 3) as third_exposed_at,
        max(exposed_at) filter (where promotion_number_from_newest = 3) as third_newest_exposed_at,
        count(*) as promotions
    from numbered
    group by person_id
),

final as (
    select
        person_id,
        third_exposed_at as entered_at,
        third_newest_exposed_at + interval 5 day as expires_at,
        'received ' || cast(promotions as {{ dbt.type_string() }})
        || ' promotions in 5 days' as reason
    from received
    where promotions >= 3
)

select * from final
