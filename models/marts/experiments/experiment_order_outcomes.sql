{%- set money = 'decimal(18, 4)' -%}
-- Intention-to-treat: who ordered nothing has ordered nothing, and is not left out. What cannot be
-- known of a person, or is not about them, is null.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed
),

experiment_purchases as (
    select * from {{ ref('experiment_purchases') }}
),

watermark as (
    select max(complete_through) as orders_through
    from {{ ref('int_feed_watermarks') }}
    where feed = 'orders'
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
        experiment_people.experiment_id,
        experiment_people.person_id,
        currencies.currency,
        experiment_purchases.pre_period_amount,
        experiment_purchases.amount,
        experiment_purchases.refunded_amount,
        experiment_purchases.margin_amount,
        coalesce(experiment_purchases.orders_before, 0) as orders_before,
        coalesce(experiment_purchases.pre_period_orders, 0) as pre_period_orders,
        coalesce(experiment_purchases.orders, 0) as orders,
        coalesce(experiment_purchases.has_ordered_30d, false) as has_ordered_30d,
        coalesce(currencies.is_one_currency, true) as is_one_currency,
        coalesce(currencies.is_costed, false) as is_costed,
        watermark.orders_through >= {{ add_hours(
            'experiment_people.window_ends_at', var('refund_window_hours')
        ) }} as is_settled,
        watermark.orders_through >= {{ add_hours(
            'experiment_people.index_at', 720
        ) }} as is_followed_30d
    from experiment_people
    cross join watermark
    left join currencies
        on experiment_people.experiment_id = currencies.experiment_id
    left join experiment_purchases
        on
            experiment_people.experiment_id = experiment_purchases.experiment_id
            and experiment_people.person_id = experiment_purchases.person_id
),

final as (
    select
        experiment_id,
        person_id,
        case when is_one_currency then currency end as currency,

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
        pre_period_orders,
        case when is_one_currency then cast(coalesce(pre_period_amount, 0) as {{ money }}) end
            as pre_period_revenue,

        orders > 0 as is_converted,
        case when orders_before > 0 and is_followed_30d then has_ordered_30d end
            as has_ordered_again_30d
    from joined
)

select * from final
