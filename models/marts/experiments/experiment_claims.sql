-- What clicks claim of the very orders an experiment looks at: those of its treated people in their
-- windows. What the holdout shows is of the same people and time, so the two can be compared.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed and not is_held_out
),

experiment_arms as (
    select * from {{ ref('experiment_arms') }}
    where campaign_id is not null and not is_control
),

order_clicks as (
    select * from {{ ref('order_clicks') }}
),

experiment_campaigns as (
    select
        experiment_id,
        arm,
        campaign_id
    from experiment_arms
    group by experiment_id, arm, campaign_id
),

final as (
    select
        experiment_campaigns.experiment_id,
        order_clicks.campaign_id,
        order_clicks.currency,
        count(*) filter (where order_clicks.is_last_click) as last_click_orders,
        cast(coalesce(
            sum(order_clicks.total_amount) filter (where order_clicks.is_last_click), 0
        ) as decimal(18, 4)) as last_click_revenue,
        count(*) as any_click_orders,
        cast(coalesce(sum(order_clicks.total_amount), 0) as decimal(18, 4)) as any_click_revenue
    from order_clicks
    inner join experiment_campaigns
        on order_clicks.campaign_id = experiment_campaigns.campaign_id
    inner join experiment_people
        on
            experiment_campaigns.experiment_id = experiment_people.experiment_id
            and experiment_campaigns.arm = experiment_people.arm
            and order_clicks.person_id = experiment_people.person_id
            and order_clicks.ordered_at >= experiment_people.index_at
            and order_clicks.ordered_at < experiment_people.window_ends_at
    group by
        experiment_campaigns.experiment_id,
        order_clicks.campaign_id,
        order_clicks.currency
)

select * from final
