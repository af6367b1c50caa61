-- All of history: a campaign's people are counted once each over all its messages, and a merge
-- makes one of two.
with order_clicks as (
    select * from {{ ref('order_clicks') }}
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where not is_ghost and campaign_id is not null
),

campaigns as (
    select
        campaign_id,
        count(*) filter (where exposed_at <= {{ as_of() }}) as messages,
        count(distinct person_id) filter (where exposed_at <= {{ as_of() }}) as people
    from deliveries
    group by campaign_id
),

claimed as (
    select
        campaign_id,
        currency,
        count(*) filter (where is_last_click) as last_click_orders,
        coalesce(sum(total_amount) filter (where is_last_click), 0) as last_click_revenue,
        count(*) as any_click_orders,
        sum(total_amount) as any_click_revenue
    from order_clicks
    group by campaign_id, currency
),

final as (
    select
        campaigns.campaign_id,
        coalesce(claimed.currency, 'none') as currency,
        campaigns.messages,
        campaigns.people,
        coalesce(claimed.last_click_orders, 0) as last_click_orders,
        cast(coalesce(claimed.last_click_revenue, 0) as decimal(18, 4)) as last_click_revenue,
        coalesce(claimed.any_click_orders, 0) as any_click_orders,
        cast(coalesce(claimed.any_click_revenue, 0) as decimal(18, 4)) as any_click_revenue
    from campaigns
    left join claimed
        on campaigns.campaign_id = claimed.campaign_id
)

select * from final
