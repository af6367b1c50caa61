-- Facts keep what is after `as_of`; what sums them up takes it off again. Mostly there is nothing.
-- All of history: none of it but what lies after `as_of`, which lies together.
with message_events as (
    select * from {{ ref('int_message_events') }}
    where
        delivery_id is not null
        and metric in ('opened', 'clicked')
        and occurred_at > {{ as_of() }}
),

final as (
    select
        delivery_id,
        count(*) filter (where metric = 'opened' and is_human) as human_opens,
        count(*) filter (where metric = 'opened' and not is_human) as machine_opens,
        count(*) filter (where metric = 'clicked' and is_human) as human_clicks,
        count(*) filter (where metric = 'clicked' and not is_human) as machine_clicks
    from message_events
    group by delivery_id
)

select * from final
