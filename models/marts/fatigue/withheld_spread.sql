{%- set cost = var('unsubscribe_cost_in_clicks') -%}

-- All of history: as its messages; people are squared over all of theirs.
with message_pressure as (
    select * from {{ ref('message_pressure') }}
    where
        exposed_at <= {{ window_start(var('fatigue_maturity_days'), 'day') }}
        and (is_clicked or is_unsubscribed or is_complaint)
),

withheld_messages as (
    select * from {{ ref('withheld_messages') }}
),

-- The first of a person's is never withheld, and what nothing followed adds nothing.
numbered as (
    {%- for days in [1, 7, 14, 30] %}
    {%- for scope, prefix in [('all', ''), ('promotional', 'class_')] %}
    {{ 'union all' if not (loop.first and days == 1) }}
    select
        '{{ scope }}' as scope,
        {{ days }} as window_days,
        least({{ prefix }}number_{{ days }}d, 11) as rolling_number,
        person_id,
        {{ cost }} * (case when is_unsubscribed or is_complaint then 1 else 0 end)
        - (case when is_clicked then 1 else 0 end) as net_clicks
    from message_pressure
    where {{ prefix }}number_{{ days }}d > 1{{ ' and is_promotional' if prefix }}
    {%- endfor %}
    {%- endfor %}
),

-- What one person does with several messages is alike, so it is squared together.
by_person as (
    select
        scope,
        window_days,
        person_id,
        rolling_number,
        sum(net_clicks) as net_clicks
    from numbered
    group by scope, window_days, person_id, rolling_number
),

-- A row stands for the caps below its number, down to the last number the person has.
beyond as (
    select
        scope,
        window_days,
        rolling_number,
        coalesce(
            lag(rolling_number) over (
                partition by scope, window_days, person_id order by rolling_number
            ),
            1
        ) as lowest_cap,
        sum(net_clicks) over (
            partition by scope, window_days, person_id order by rolling_number desc
            rows between unbounded preceding and current row
        ) as net_clicks
    from by_person
),

squared as (
    select
        scope,
        window_days,
        lowest_cap,
        rolling_number,
        sum(net_clicks * net_clicks) as net_clicks_squared
    from beyond
    group by scope, window_days, lowest_cap, rolling_number
),

final as (
    select
        withheld_messages.scope,
        withheld_messages.window_days,
        withheld_messages.cap,
        cast(coalesce(sum(squared.net_clicks_squared), 0) as bigint) as net_clicks_squared
    from withheld_messages
    left join squared
        on
            withheld_messages.scope = squared.scope
            and withheld_messages.window_days = squared.window_days
            and withheld_messages.cap >= squared.lowest_cap
            and withheld_messages.cap < squared.rolling_number
    group by withheld_messages.scope, withheld_messages.window_days, withheld_messages.cap
)

select * from final
