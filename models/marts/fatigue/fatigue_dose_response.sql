{%- set last = var('fatigue_message_numbers') -%}
{%- set outcomes = ['click', 'unsubscribe', 'complaint', 'click_order'] -%}

-- Only messages old enough that what follows them would be known by now.
-- All of history: a hazard is of all that is old enough, and what a message is for, its taxonomy
-- says anew for every year.
with message_pressure as (
    select * from {{ ref('message_pressure') }}
    where exposed_at <= {{ window_start(var('fatigue_maturity_days'), 'day') }}
),

-- What one person does with several messages is alike: people are counted, not messages.
by_person as (
    {%- for days in [1, 7, 14, 30] %}
    {%- for scope, number in [('all', 'number'), ('promotional', 'class_number')] %}
    {{ 'union all' if not (loop.first and days == 1) }}
    select
        '{{ scope }}' as scope,
        {{ days }} as window_days,
        least({{ number }}_{{ days }}d, {{ last }}) as message_number,
        person_id,
        count(*) as messages,
        count(*) filter (where is_clicked) as clicks,
        count(*) filter (where is_unsubscribed) as unsubscribes,
        count(*) filter (where is_complaint) as complaints,
        count(*) filter (where is_ordered) as click_orders
    from message_pressure
    {%- if scope == 'promotional' %}
    where is_promotional
    {%- endif %}
    group by least({{ number }}_{{ days }}d, {{ last }}), person_id
    {%- endfor %}
    {%- endfor %}
),

counted as (
    select
        scope,
        window_days,
        message_number,
        {%- for outcome in outcomes %}
        cast(sum({{ outcome }}s) as bigint) as {{ outcome }}s,
        sum({{ outcome }}s * {{ outcome }}s) as {{ outcome }}s_squared,
        sum({{ outcome }}s * messages) as {{ outcome }}s_by_messages,
        {%- endfor %}
        cast(sum(messages) as bigint) as messages,
        sum(messages * messages) as messages_squared,
        count(*) as people
    from by_person
    group by scope, window_days, message_number
),

rated as (
    select
        *,
        {%- for outcome in outcomes %}
        cast({{ outcome }}s as double) / nullif(messages, 0) as {{ outcome }}_rate,
        {{ effective_trials(
            'people', outcome ~ 's', 'messages', outcome ~ 's_squared', 'messages_squared',
            outcome ~ 's_by_messages'
        ) }} as {{ outcome }}_trials,
        {%- endfor %}
        message_number = {{ last }} as is_or_more
    from counted
),

final as (
    select
        scope,
        cast(window_days as bigint) as window_days,
        cast(message_number as bigint) as message_number,
        people,
        messages,
        {%- for outcome in outcomes %}
        {%- set successes = outcome ~ '_rate * ' ~ outcome ~ '_trials' %}
        {{ outcome }}s,
        {{ outcome }}_rate,
        greatest(0.0e0, {{ wilson_low(successes, outcome ~ '_trials') }}) as {{ outcome }}_rate_low,
        least(1.0e0, {{ wilson_high(successes, outcome ~ '_trials') }}) as {{ outcome }}_rate_high,
        {%- endfor %}
        is_or_more
    from rated
)

select * from final
