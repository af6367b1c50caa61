{%- set campaigns = var('paid_audience_campaigns') -%}

-- What keeping people out of ads changes. Who is kept out has just bought, clicked or had enough,
-- so the orders of the two describe and prove nothing.
with paid_reach as (
    select * from {{ ref('paid_reach') }}
),

ad_spend_daily as (
    select * from {{ ref('ad_spend_daily') }}
),

orders as (
    select * from {{ ref('orders') }}
    where person_id is not null and not is_cancelled and ordered_at <= {{ as_of() }}
),

campaigns as (
    {%- for campaign, audience in campaigns.items() %}
    select
        '{{ campaign | replace("'", "''") }}' as campaign,
        '{{ audience | replace("'", "''") }}' as audience
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as campaign,
        cast(null as {{ dbt.type_string() }}) as audience
    {%- endfor %}
),

-- Several currencies of one day add up to nothing.
spent as (
    select
        ad_spend_daily.platform,
        campaigns.audience,
        ad_spend_daily.spent_on,
        max(ad_spend_daily.currency) as currency,
        sum(ad_spend_daily.spend) as spend
    from ad_spend_daily
    inner join campaigns
        on ad_spend_daily.platform || '|' || ad_spend_daily.campaign_key = campaigns.campaign
    group by ad_spend_daily.platform, campaigns.audience, ad_spend_daily.spent_on
    having count(distinct ad_spend_daily.currency) = 1
),

followed as (
    select
        paid_reach.person_id,
        paid_reach.platform,
        paid_reach.audience,
        paid_reach.active_on,
        paid_reach.is_reached,
        paid_reach.is_suppressed,
        count(orders.order_id) as orders
    from paid_reach
    left join orders
        on
            paid_reach.person_id = orders.person_id
            and cast(paid_reach.active_on as timestamp) <= orders.ordered_at
            and cast(paid_reach.active_on as timestamp) > orders.ordered_at - interval 7 day
    group by
        paid_reach.person_id,
        paid_reach.platform,
        paid_reach.audience,
        paid_reach.active_on,
        paid_reach.is_reached,
        paid_reach.is_suppressed
),

counted as (
    select
        platform,
        audience,
        active_on,
        cast(active_on as timestamp) <= {{ window_start(7, 'day') }} as is_mature,
        count(*) filter (where is_reached) as people,
        count(*) filter (where not is_reached) as suppressed_people,
        count(*) filter (where is_reached and is_suppressed) as overlap_people,
        coalesce(sum(orders) filter (where is_reached), 0) as orders,
        coalesce(sum(orders) filter (where not is_reached), 0) as suppressed_orders
    from followed
    group by platform, audience, active_on
),

final as (
    select
        counted.platform,
        counted.audience,
        spent.currency,

        counted.active_on,

        counted.people + counted.suppressed_people as people_before,
        counted.suppressed_people,
        counted.people,
        counted.overlap_people,
        cast(spent.spend as decimal(18, 4)) as spend,
        cast(
            spent.spend * counted.suppressed_people / nullif(counted.people, 0) as decimal(18, 4)
        ) as avoided_spend,
        cast(
            spent.spend * counted.overlap_people / nullif(counted.people, 0) as decimal(18, 4)
        ) as overlap_spend,
        case when counted.is_mature then cast(counted.orders as bigint) end as orders_7d,
        case
            when counted.is_mature then cast(counted.suppressed_orders as bigint)
        end as suppressed_orders_7d
    from counted
    left join spent
        on
            counted.platform = spent.platform
            and counted.audience = spent.audience
            and counted.active_on = spent.spent_on
)

select * from final
