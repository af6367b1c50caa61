-- The one definition of an active customer: whoever else speaks of one reads it here.
with person_purchases as (
    select * from {{ ref('person_purchases') }}
),

final as (
    select
        person_id,
        first_ordered_at,
        last_ordered_at,
        last_ordered_at + interval {{ var('active_customer_days') }} day as active_until_at,
        orders,
        case
            when last_ordered_at < {{ window_start(var('active_customer_days'), 'day') }}
                then 'lapsed'
            when orders = 1 then 'new'
            else 'repeat'
        end as lifecycle,
        last_ordered_at >= {{ window_start(var('active_customer_days'), 'day') }} as is_active
    from person_purchases
)

select * from final
