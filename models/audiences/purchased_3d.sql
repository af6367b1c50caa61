with orders as (
    select * from {{ ref('orders') }}
),

-- A cancelled order is no purchase; a refunded one was.
purchases as (
    select
        person_id,
        min(ordered_at) as first_ordered_at,
        max(ordered_at) as last_ordered_at,
        count(*) as orders
    from orders
    where
        person_id is not null
        and not is_cancelled
        and ordered_at between {{ window_start(3, 'day') }} and {{ as_of() }}
    group by person_id
),

final as (
    select
        person_id,
        first_ordered_at as entered_at,
        last_ordered_at + interval 3 day as expires_at,
        'ordered ' || cast(orders as {{ dbt.type_string() }}) || ' times in 3 days' as reason
    from purchases
)

select * from final
