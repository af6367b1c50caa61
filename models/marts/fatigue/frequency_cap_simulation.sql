{%- set cost = var('unsubscribe_cost_in_clicks') -%}
with withheld_messages as (
    select * from {{ ref('withheld_messages') }}
),

withheld_spread as (
    select * from {{ ref('withheld_spread') }}
),

withheld as (
    select
        withheld_messages.*,
        withheld_spread.net_clicks_squared
    from withheld_messages
    inner join withheld_spread
        on
            withheld_messages.scope = withheld_spread.scope
            and withheld_messages.window_days = withheld_spread.window_days
            and withheld_messages.cap = withheld_spread.cap
),

-- People come one by one, so what they do varies as the sum of its squares; where each does one
-- thing counts vary like themselves (Poisson). One loss more keeps none from looking certain.
valued as (
    select
        *,
        {{ cost }} * cast(withheld_losses as double) - withheld_clicks as net_clicks,
        case
            when withheld_messages = 0 then 0.0e0
            else {{ normal_critical_value() }} * sqrt(
                cast(net_clicks_squared as double) + {{ cost }} * {{ cost }}
            )
        end as net_clicks_margin
    from withheld
),

judged as (
    select
        *,
        case
            when withheld_messages = 0 then 'withholds nothing'
            when net_clicks - net_clicks_margin > 0 then 'pays'
            when net_clicks + net_clicks_margin < 0 then 'costs'
            else 'uncertain'
        end as verdict,
        row_number() over (
            partition by scope, window_days
            order by
                case when net_clicks - net_clicks_margin > 0 then 0 else 1 end,
                net_clicks desc,
                cap desc
        ) as net_rank
    from valued
),

final as (
    select
        scope,
        window_days,
        cap,
        messages,
        withheld_messages,
        withheld_messages_low,
        withheld_clicks as lost_clicks,
        withheld_click_orders as lost_click_orders,
        withheld_unsubscribes as avoided_unsubscribes,
        withheld_complaints as avoided_complaints,
        net_clicks,
        net_clicks - net_clicks_margin as net_clicks_low,
        net_clicks + net_clicks_margin as net_clicks_high,
        verdict,
        verdict = 'pays' and net_rank = 1 as is_recommended
    from judged
)

select * from final
