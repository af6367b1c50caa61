{%- set counts = {
    'messages_received': 'received', 'human_opens': 'human open', 'machine_opens': 'machine open',
    'human_clicks': 'human click', 'machine_clicks': 'machine click',
    'messages_clicked': 'clicked message', 'conversions': 'converted',
    'unsubscribes': 'unsubscribed',
} -%}

-- All of history: a merge moves days of any year to somebody else, and another arm makes ghosts of
-- old messages; finding these days reads as much as counting all.
with message_responses as (
    select
        person_id,
        {{ local_date('occurred_at') }} as active_on,
        case metric
            when 'opened' then case when is_human then 'human open' else 'machine open' end
            when 'clicked' then 'machine click'
            else metric
        end as activity
    from {{ ref('message_responses') }}
    where
        person_id is not null
        and not is_ghost
        and (
            metric in ('opened', 'converted', 'unsubscribed', 'spammed')
            or metric = 'clicked' and not is_human
        )
        and occurred_at <= {{ as_of() }}
),

human_clicks as (
    select
        person_id,
        {{ local_date('occurred_at') }} as active_on,
        delivery_id
    from {{ ref('human_clicks') }}
),

exposures as (
    select
        person_id,
        {{ local_date('exposed_at') }} as active_on
    from {{ ref('deliveries') }}
    where person_id is not null and exposed_at is not null
),

-- One below the other, to be counted in one pass.
activities as (
    select
        person_id,
        active_on,
        'received' as activity
    from exposures

    union all

    select
        person_id,
        active_on,
        activity
    from message_responses

    union all

    select
        person_id,
        active_on,
        'human click' as activity
    from human_clicks

    union all

    -- A message clicked twice on one day is one.
    select
        person_id,
        active_on,
        'clicked message' as activity
    from human_clicks
    where delivery_id is not null
    group by person_id, active_on, delivery_id
),

final as (
    select
        person_id,
        active_on,
        {%- for count, activity in counts.items() %}
        count(*) filter (where activity = '{{ activity }}') as {{ count }},
        {%- endfor %}
        count(*) filter (where activity = 'spammed') as complaints
    from activities
    group by person_id, active_on
)

select * from final
