-- What clicks claim: an order is claimed by every campaign clicked shortly before it. A click on a
-- newsletter claims nothing here, and still takes the last click from a campaign.
-- All of history: a merge or an order that comes late gives old clicks another order to claim.
with orders as (
    select * from {{ ref('orders') }}
    where
        not is_cancelled
        and person_id is not null
        and ordered_at <= {{ as_of() }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where occurred_at <= {{ as_of() }}
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where not is_ghost
),

clicked as (
    select
        orders.order_id,
        orders.person_id,
        orders.ordered_at,
        deliveries.campaign_id,
        coalesce(orders.reporting_currency, orders.currency) as currency,
        coalesce(orders.reporting_total_amount, orders.total_amount) as total_amount,
        max(human_clicks.occurred_at) as last_clicked_at
    from orders
    inner join human_clicks
        on
            orders.person_id = human_clicks.person_id
            and orders.ordered_at >= human_clicks.occurred_at
            and orders.ordered_at < {{ add_hours(
                'human_clicks.occurred_at', var('attribution_window_hours')
            ) }}
    inner join deliveries
        on human_clicks.delivery_id = deliveries.delivery_id
    group by
        orders.order_id,
        orders.person_id,
        orders.ordered_at,
        deliveries.campaign_id,
        coalesce(orders.reporting_currency, orders.currency),
        coalesce(orders.reporting_total_amount, orders.total_amount)
),

ranked as (
    select
        *,
        row_number() over (
            partition by order_id
            order by last_clicked_at desc, campaign_id asc nulls last
        ) as click_rank
    from clicked
),

final as (
    select
        order_id,
        campaign_id,
        person_id,
        currency,
        ordered_at,
        last_clicked_at,
        total_amount,
        click_rank = 1 as is_last_click
    from ranked
    where campaign_id is not null
)

select * from final
