-- Winback messages of the last 30 days to people who stood on a rung of the ladder when it came.
with winback_messages as (
    select
        delivery_id,
        person_id,
        exposed_at,
        {{ local_date('exposed_at') }} as received_on
    from {{ ref('deliveries') }}
    where
        person_id is not null
        and message_class = 'winback'
        and {{ in_window('exposed_at', 30, 'day') }}
),

suppression_signals as (
    select * from {{ ref('suppression_signals') }}
),

rungs as (
    select * from {{ ref('suppression_ladder_rungs') }}
),

-- What happened at the same instant or later was no reason yet.
standing as (
    select
        winback_messages.delivery_id,
        rungs.rung,
        rungs.reason,
        row_number() over (
            partition by winback_messages.delivery_id
            order by rungs.rung
        ) as rung_rank
    from winback_messages
    inner join suppression_signals
        on
            winback_messages.person_id = suppression_signals.person_id
            and winback_messages.exposed_at > suppression_signals.occurred_at
    inner join rungs
        on
            suppression_signals.signal_kind = rungs.rule
            and winback_messages.exposed_at
            <= {{ add_hours('suppression_signals.occurred_at', 'rungs.window_hours') }}
    group by winback_messages.delivery_id, rungs.rung, rungs.reason
    having count(*) >= max(rungs.minimum)
),

final as (
    select
        winback_messages.received_on,
        coalesce(standing.reason, 'none') as reason,
        count(*) as messages,
        count(distinct winback_messages.person_id) as people,
        standing.reason is not null as is_overlap
    from winback_messages
    left join standing
        on
            winback_messages.delivery_id = standing.delivery_id
            and standing.rung_rank = 1
    group by winback_messages.received_on, standing.reason
)

select * from final
