with experiment_orders as (
    select * from {{ ref('experiment_orders') }}
),

final as (
    select
        experiment_id,
        person_id,
        min(currency) filter (where is_in_window or is_in_pre_period) as first_currency,
        max(currency) filter (where is_in_window or is_in_pre_period) as last_currency,

        max(ordered_at) filter (where is_before) as last_ordered_before_at,
        min(ordered_at) filter (where is_in_window) as next_ordered_at,

        count(*) filter (where is_before) as orders_before,
        count(*) filter (where is_in_pre_period) as pre_period_orders,
        cast(
            coalesce(sum(total_amount) filter (where is_in_pre_period), 0) as decimal(18, 4)
        ) as pre_period_amount,
        count(*) filter (where is_in_window) as orders,
        cast(coalesce(sum(total_amount) filter (where is_in_window), 0) as decimal(18, 4))
            as amount,
        cast(coalesce(sum(refunded_amount) filter (where is_in_window), 0) as decimal(18, 4))
            as refunded_amount,
        count(cost_amount) filter (where is_in_window) as costed_orders,
        cast(
            coalesce(
                sum(total_amount - refunded_amount - cost_amount) filter (where is_in_window), 0
            ) as decimal(18, 4)
        ) as margin_amount,

        coalesce(bool_or(is_in_30d), false) as has_ordered_30d
    from experiment_orders
    group by experiment_id, person_id
)

select * from final
