{%- set cost = var('unsubscribe_cost_in_clicks') -%}
{%- set outcomes = [
    'messages', 'clicks', 'losses', 'unsubscribes', 'complaints', 'click_orders'
] -%}

with message_pressure as (
    select * from {{ ref('message_pressure') }}
    where exposed_at <= {{ window_start(var('fatigue_maturity_days'), 'day') }}
),

-- What a rolling cap withholds lies between two counts. Above: every message beyond the cap among
-- those of the days before it, although the withheld would have made room. Below: those beyond it
-- in periods that follow one another, of which a rolling cap lets through no more.
numbered as (
    {%- for days in [1, 7, 14, 30] %}
    {%- for scope, prefix in [('all', ''), ('promotional', 'class_')] %}
    {{ 'union all' if not (loop.first and days == 1) }}
    select
        '{{ scope }}' as scope,
        {{ days }} as window_days,
        least({{ prefix }}number_{{ days }}d, 11) as rolling_number,
        least({{ prefix }}period_number_{{ days }}d, 11) as period_number,
        is_clicked,
        is_unsubscribed,
        is_complaint,
        is_ordered
    from message_pressure
    {%- if prefix %}
    where is_promotional
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

-- Few rows from here on, however many messages there were.
counted as (
    select
        scope,
        window_days,
        rolling_number,
        period_number,
        count(*) as messages,
        count(*) filter (where is_clicked) as clicks,
        count(*) filter (where is_unsubscribed or is_complaint) as losses,
        count(*) filter (where is_unsubscribed) as unsubscribes,
        count(*) filter (where is_complaint) as complaints,
        count(*) filter (where is_ordered) as click_orders
    from numbered
    group by scope, window_days, rolling_number, period_number
),

caps as (
    {%- for cap in range(1, 11) %}
    {{ 'union all' if not loop.first }}
    select {{ cap }} as cap
    {%- endfor %}
),

withheld as (
    select
        counted.scope,
        counted.window_days,
        caps.cap,
        cast(sum(counted.messages) as bigint) as messages,
        {%- for outcome in outcomes %}
        cast(coalesce(sum(counted.{{ outcome }}) filter (
            where counted.rolling_number > caps.cap
        ), 0) as bigint) as withheld_{{ outcome }},
        {%- endfor %}
        cast(coalesce(sum(counted.messages) filter (
            where counted.period_number > caps.cap
        ), 0) as bigint) as withheld_messages_low
    from counted
    cross join caps
    group by counted.scope, counted.window_days, caps.cap
),

-- Clicks and losses come one by one, so their counts vary like themselves (Poisson); one loss more
-- keeps a count of none from looking certain.
valued as (
    select
        *,
        {{ cost }} * cast(withheld_losses as double) - withheld_clicks as net_clicks,
        case
            when withheld_messages = 0 then 0.0e0
            else {{ normal_critical_value() }} * sqrt(
                {{ cost }} * {{ cost }} * (cast(withheld_losses as double) + 1) + withheld_clicks
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
        cast(window_days as bigint) as window_days,
        cast(cap as bigint) as cap,
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
