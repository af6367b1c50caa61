-- Every discount a person was given: which message gave it, and what became of it.
-- All of history: a discount is whoever's the message was, which a merge changes, and a taxonomy
-- says later what offered one.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null and exposed_at <= {{ as_of() }}
),

message_classes as (
    select * from {{ ref('int_message_classes') }}
    where offers_discount
),

orders as (
    select * from {{ ref('orders') }}
    where
        person_id is not null
        and not is_cancelled
        and discount_amount > 0
        and ordered_at <= {{ as_of() }}
),

granted as (
    select
        deliveries.delivery_id as grant_id,
        deliveries.person_id,
        message_classes.message_key as incentive_id,
        deliveries.channel,
        deliveries.message_class,
        deliveries.exposed_at as granted_at,
        deliveries.exposed_at + interval {{ var('incentive_days') }} day as valid_until_at
    from deliveries
    inner join message_classes
        on deliveries.message_key = message_classes.message_key
),

-- The first order at a discount after it, while it is valid.
used as (
    select
        granted.grant_id,
        min(orders.ordered_at) as used_at
    from granted
    inner join orders
        on
            granted.person_id = orders.person_id
            and granted.granted_at <= orders.ordered_at
            and granted.valid_until_at >= orders.ordered_at
    group by granted.grant_id
),

ended as (
    select
        granted.*,
        used.used_at,
        least(granted.valid_until_at, coalesce(used.used_at, granted.valid_until_at)) as ends_at
    from granted
    left join used
        on granted.grant_id = used.grant_id
),

-- Whether an earlier one was still held when it came.
compared as (
    select
        *,
        max(ends_at) over (
            partition by person_id
            order by granted_at, grant_id
            rows between unbounded preceding and 1 preceding
        ) as earlier_ends_at
    from ended
),

final as (
    select
        grant_id,
        incentive_id,
        person_id,
        channel,
        message_class,
        case
            when used_at is not null then 'used'
            when valid_until_at < {{ as_of() }} then 'expired'
            else 'held'
        end as grant_status,
        granted_at,
        valid_until_at,
        used_at,
        coalesce(earlier_ends_at >= granted_at, false) as is_second
    from compared
)

select * from final
