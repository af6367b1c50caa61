with orders as (
    select * from {{ ref('int_orders') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

resolved as (
    select
        orders.*,
        profile_people.person_id
    from orders
    left join profile_people
        on orders.profile_key = profile_people.profile_key
),

-- A cancelled order is no purchase and takes no number.
numbered as (
    select
        order_id,
        row_number() over (partition by person_id order by ordered_at, order_id) as order_number
    from resolved
    where person_id is not null and not is_cancelled
),

final as (
    select
        resolved.order_id,
        resolved.person_id,
        resolved.profile_key,
        resolved.currency,
        resolved.discount_code,

        resolved.ordered_at,
        {{ local_date('resolved.ordered_at') }} as ordered_on,
        resolved.first_refunded_at,

        numbered.order_number,
        resolved.total_amount,
        resolved.discount_amount,
        resolved.refunded_amount,
        cast(resolved.total_amount - resolved.refunded_amount as decimal(18, 4)) as net_amount,

        resolved.is_cancelled,
        resolved.refunded_amount > 0 as is_refunded
    from resolved
    left join numbered
        on resolved.order_id = numbered.order_id
)

select * from final
