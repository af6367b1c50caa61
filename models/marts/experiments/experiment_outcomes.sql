-- Intention-to-treat: everyone who was due a message and whose window is over, in the arm they
-- were assigned, whatever became of the message. A person seen in two arms is in neither. What
-- cannot be known of a person, or is not about them, is null and leaves them out of its metric.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed
),

experiment_purchases as (
    select * from {{ ref('experiment_purchases') }}
),

experiment_contacts as (
    select * from {{ ref('experiment_contacts') }}
),

people as (
    select * from {{ ref('people') }}
),

feed_watermarks as (
    select * from {{ ref('int_feed_watermarks') }}
),

watermarks as (
    select
        max(complete_through) filter (where feed = 'orders') as orders_through,
        max(complete_through) filter (where feed = 'mparticle') as visits_through
    from feed_watermarks
),

-- Amounts in several currencies are never added up: then there is no revenue.
currencies as (
    select
        experiment_id,
        min(first_currency) as currency,
        coalesce(min(first_currency) = max(last_currency), true) as is_one_currency,
        sum(costed_orders) > 0 as is_costed
    from experiment_purchases
    group by experiment_id
),

joined as (
    select
        experiment_people.*,
        currencies.currency,
        people.created_at,
        experiment_purchases.pre_period_amount,
        experiment_purchases.amount,
        experiment_purchases.refunded_amount,
        experiment_purchases.margin_amount,
        coalesce(experiment_purchases.orders_before, 0) as orders_before,
        coalesce(experiment_purchases.pre_period_orders, 0) as pre_period_orders,
        coalesce(experiment_purchases.orders, 0) as orders,
        coalesce(experiment_purchases.has_ordered_30d, false) as has_ordered_30d,
        coalesce(experiment_contacts.messages_before_14d, 0) as messages_before_14d,
        coalesce(experiment_contacts.clicks_before_14d, 0) as clicks_before_14d,
        coalesce(experiment_contacts.messages_received, 0) as messages_received,
        coalesce(experiment_contacts.has_unsubscribed, false) as has_unsubscribed,
        coalesce(experiment_contacts.has_complained, false) as has_complained,
        coalesce(experiment_contacts.has_visited, false) as has_visited,
        coalesce(currencies.is_one_currency, true) as is_one_currency,
        coalesce(currencies.is_costed, false) as is_costed,
        watermarks.orders_through >= {{ add_hours(
            'experiment_people.window_ends_at', var('refund_window_hours')
        ) }} as is_settled,
        watermarks.orders_through >= {{ add_hours(
            'experiment_people.index_at', 720
        ) }} as is_followed_30d,
        experiment_people.window_ends_at <= watermarks.visits_through as is_seen_visiting
    from experiment_people
    cross join watermarks
    left join people
        on experiment_people.person_id = people.person_id
    left join currencies
        on experiment_people.experiment_id = currencies.experiment_id
    left join experiment_purchases
        on
            experiment_people.experiment_id = experiment_purchases.experiment_id
            and experiment_people.person_id = experiment_purchases.person_id
    left join experiment_contacts
        on
            experiment_people.experiment_id = experiment_contacts.experiment_id
            and experiment_people.person_id = experiment_contacts.person_id
),

final as (
    select
        experiment_id,
        person_id,
        arm,
        index_at,
        window_ends_at,
        case when is_one_currency then currency end as currency,

        case
            when created_at is null then 'unknown'
            when created_at > {{ add_hours('index_at', -720) }} then 'under 30 days'
            when created_at > {{ add_hours('index_at', -8760) }} then '30 days to a year'
            else 'over a year'
        end as tenure_before,
        case orders_before
            when 0 then 'none' when 1 then 'one' else 'several'
        end as purchases_before,
        case
            when messages_before_14d = 0 then 'rested'
            when clicks_before_14d > 0 then 'responsive'
            when messages_before_14d < {{ var('fatigue_risk_messages') }} then 'quiet'
            else 'fatigued'
        end as fatigue_before,

        {% set money = 'decimal(18, 4)' -%}
        orders,
        case when is_one_currency then cast(coalesce(amount, 0) as {{ money }}) end as revenue,
        case when is_one_currency and is_settled then cast(coalesce(amount, 0) as {{ money }}) end
            as settled_revenue,
        case
            when is_one_currency and is_settled
                then cast(coalesce(refunded_amount, 0) as {{ money }})
        end as refunded_amount,
        case
            when is_one_currency and is_settled
                then cast(coalesce(amount, 0) - coalesce(refunded_amount, 0) as {{ money }})
        end as net_revenue,
        -- Where no cost is known of any order, a margin of none would be made up.
        case
            when is_one_currency and is_settled and is_costed
                then cast(coalesce(margin_amount, 0) as {{ money }})
        end as margin,
        messages_received,
        pre_period_orders,
        case when is_one_currency then cast(coalesce(pre_period_amount, 0) as {{ money }}) end
            as pre_period_revenue,

        is_delivered,
        orders > 0 as is_converted,
        case when orders_before > 0 and is_followed_30d then has_ordered_30d end
            as has_ordered_again_30d,
        case when is_seen_visiting then has_visited end as has_visited,
        has_unsubscribed,
        has_complained
    from joined
)

select * from final
