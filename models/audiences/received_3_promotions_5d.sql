with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and is_promotional
        and {{ in_window('exposed_at', 5, 'day') }}
),

received as (
    {{ people_with_at_least(3, 'deliveries', 'exposed_at', 'delivery_id') }}
),

final as (
    select
        person_id,
        filled_at as entered_at,
        holding_at + interval 5 day as expires_at,
        'received ' || cast(row_count as {{ dbt.type_string() }})
        || ' promotions in 5 days' as reason
    from received
)

select * from final
