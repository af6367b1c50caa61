with suppression_signals as (
    select * from {{ ref('suppression_signals') }}
),

rungs as (
    select * from {{ ref('suppression_ladder_rungs') }}
),

numbered as (
    select
        suppression_signals.person_id,
        rungs.rung,
        rungs.reason,
        rungs.minimum,
        suppression_signals.occurred_at,
        {{ add_hours('suppression_signals.occurred_at', 'rungs.window_hours') }} as leaves_at,
        row_number() over (
            partition by suppression_signals.person_id, rungs.rung
            order by suppression_signals.occurred_at desc, suppression_signals.source_id desc
        ) as number_from_newest
    from suppression_signals
    inner join rungs
        on
            suppression_signals.signal_kind = rungs.rule
            and {{ add_hours('suppression_signals.occurred_at', 'rungs.window_hours') }}
            >= {{ as_of() }}
),

-- When the occurrence that fills the rung, counted from the newest, leaves the window, they leave.
standing as (
    select
        person_id,
        rung,
        reason,
        count(*) as occurrences,
        max(occurred_at) as last_occurred_at,
        max(leaves_at) filter (where number_from_newest = minimum) as suppressed_until_at
    from numbered
    group by person_id, rung, reason
    having count(*) >= max(minimum)
),

ranked as (
    select
        *,
        row_number() over (partition by person_id order by rung) as rung_rank,
        count(*) over (partition by person_id) as rungs,
        max(suppressed_until_at) over (partition by person_id) as free_after_at
    from standing
),

final as (
    select
        person_id,
        rung,
        reason,
        last_occurred_at,
        suppressed_until_at,
        free_after_at,
        occurrences,
        rungs
    from ranked
    where rung_rank = 1
)

select * from final
