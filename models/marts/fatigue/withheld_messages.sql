{%- set outcomes = [
    'messages', 'clicks', 'losses', 'unsubscribes', 'complaints', 'click_orders'
] -%}

-- All of history: what a cap would have withheld is asked of all that is old enough, whatever its
-- taxonomy calls it now.
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

counts as (
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

final as (
    select
        scope,
        cast(window_days as bigint) as window_days,
        cast(cap as bigint) as cap,
        messages,
        {%- for outcome in outcomes %}
        withheld_{{ outcome }},
        {%- endfor %}
        withheld_messages_low
    from counts
)

select * from final
