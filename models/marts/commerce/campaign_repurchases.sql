-- What those who clicked a campaign bought beside those who received it and did not. Who clicks is
-- another kind of person than who does not, so this describes and proves nothing.
-- All of history: what came before and after somebody's first message of a campaign, in whichever
-- year it was.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null and campaign_id is not null and exposed_at <= {{ as_of() }}
),

orders as (
    select * from {{ ref('orders') }}
    where person_id is not null and not is_cancelled and ordered_at <= {{ as_of() }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

reached as (
    select
        campaign_id,
        person_id,
        min(exposed_at) as first_exposed_at,
        bool_or(coalesce(first_human_clicked_at <= {{ as_of() }}, false)) as has_clicked
    from deliveries
    group by campaign_id, person_id
),

followed as (
    select
        reached.campaign_id,
        reached.person_id,
        reached.has_clicked,
        reached.first_exposed_at <= {{ window_start(30, 'day') }} as is_mature,
        count(orders.order_id) filter (
            where orders.ordered_at < reached.first_exposed_at
        ) as orders_before,
        count(orders.order_id) filter (
            where orders.ordered_at >= reached.first_exposed_at
            and orders.ordered_at <= reached.first_exposed_at + interval 30 day
        ) as orders_30d
    from reached
    left join orders
        on reached.person_id = orders.person_id
    group by
        reached.campaign_id, reached.person_id, reached.has_clicked, reached.first_exposed_at
),

counted as (
    select
        followed.campaign_id,
        followed.has_clicked,
        count(*) as people,
        count(*) filter (where followed.orders_before > 0) as buyers_before,
        count(*) filter (
            where followed.orders_before > 0 and followed.is_mature
        ) as mature_buyers,
        count(*) filter (
            where followed.orders_before > 0 and followed.is_mature and followed.orders_30d > 0
        ) as repurchasers_30d,
        count(person_purchases.person_id) as customers,
        cast(coalesce(sum(person_purchases.orders), 0) as bigint) as orders,
        -- Whoever bought in several currencies has none here, and then there is no sum.
        count(*) filter (
            where person_purchases.person_id is not null and person_purchases.currency is null
        ) as people_without_currency,
        min(person_purchases.currency) as first_currency,
        max(person_purchases.currency) as last_currency,
        sum(person_purchases.total_amount - person_purchases.refunded_amount) as net_amount
    from followed
    left join person_purchases
        on followed.person_id = person_purchases.person_id
    group by followed.campaign_id, followed.has_clicked
),

final as (
    select
        campaign_id,
        case
            when people_without_currency = 0 and first_currency = last_currency then first_currency
        end as currency,
        people,
        customers,
        buyers_before,
        mature_buyers,
        repurchasers_30d,
        cast(repurchasers_30d as double) / nullif(mature_buyers, 0) as repurchase_rate_30d,
        orders,
        cast(orders as double) / people as orders_per_person,
        case
            when people_without_currency = 0 and first_currency = last_currency
                then cast(net_amount as double) / people
        end as lifetime_value,
        has_clicked
    from counted
)

select * from final
