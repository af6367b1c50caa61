{%- set last = var('fatigue_message_numbers') -%}

-- Only messages old enough that what follows them would be known by now.
with message_pressure as (
    select * from {{ ref('message_pressure') }}
    where exposed_at <= {{ window_start(var('fatigue_maturity_days'), 'day') }}
),

numbered as (
    {%- for days in [1, 7, 14, 30] %}
    {{ 'union all' if not loop.first }}
    select
        'all' as scope,
        {{ days }} as window_days,
        least(number_{{ days }}d, {{ last }}) as message_number,
        is_clicked,
        is_unsubscribed,
        is_complaint,
        is_ordered
    from message_pressure

    union all

    select
        'promotional' as scope,
        {{ days }} as window_days,
        least(class_number_{{ days }}d, {{ last }}) as message_number,
        is_clicked,
        is_unsubscribed,
        is_complaint,
        is_ordered
    from message_pressure
    where is_promotional
    {%- endfor %}
),

counted as (
    select
        scope,
        window_days,
        message_number,
        count(*) as messages,
        count(*) filter (where is_clicked) as clicks,
        count(*) filter (where is_unsubscribed) as unsubscribes,
        count(*) filter (where is_complaint) as complaints,
        count(*) filter (where is_ordered) as click_orders
    from numbered
    group by scope, window_days, message_number
),

final as (
    select
        scope,
        cast(window_days as bigint) as window_days,
        cast(message_number as bigint) as message_number,
        messages,
        {%- for outcome in ['click', 'unsubscribe', 'complaint', 'click_order'] %}
        {{ outcome }}s,
        cast({{ outcome }}s as double) / nullif(messages, 0) as {{ outcome }}_rate,
        greatest(0.0e0, {{ wilson_low(outcome ~ 's', 'messages') }}) as {{ outcome }}_rate_low,
        least(1.0e0, {{ wilson_high(outcome ~ 's', 'messages') }}) as {{ outcome }}_rate_high,
        {%- endfor %}
        message_number = {{ last }} as is_or_more
    from counted
)

select * from final
