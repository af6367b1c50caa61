-- Trapped deliveries of held-out people: a record that a message would have been sent, never a
-- message received.
with delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
),

final as (
    select delivery_id
    from delivery_arms
    where is_control
    group by delivery_id
)

select * from final
