-- Whom paid audiences reached on each day, and whom they would have reached had nobody been kept
-- out: people who were in one in the 30 days before and stood on a rung of the ladder.
with member_days as (
    select * from {{ ref('int_paid_audience_people') }}
    where {{ in_window('cast(active_on as timestamp)', 90, 'day') }}
),

suppression_signals as (
    select * from {{ ref('suppression_signals') }}
),

rungs as (
    select * from {{ ref('suppression_ladder_rungs') }}
),

-- A day of which nobody was told says nothing of who was kept out.
told_days as (
    select distinct
        platform,
        audience,
        active_on
    from member_days
),

followed as (
    select
        *,
        lead(active_on) over (
            partition by person_id, platform, audience
            order by active_on
        ) as next_active_on
    from member_days
),

candidates as (
    select
        person_id,
        platform,
        audience,
        active_on,
        true as is_reached
    from member_days

    union all

    select
        followed.person_id,
        followed.platform,
        followed.audience,
        told_days.active_on,
        false as is_reached
    from followed
    inner join told_days
        on
            followed.platform = told_days.platform
            and followed.audience = told_days.audience
            and followed.active_on < told_days.active_on
            and followed.active_on >= told_days.active_on - interval 30 day
            and coalesce(followed.next_active_on > told_days.active_on, true)
),

recent as (
    select * from candidates
    where {{ in_window('cast(active_on as timestamp)', 60, 'day') }}
),

person_days as (
    select distinct
        person_id,
        active_on
    from recent
),

-- A day counts from its first instant; what happened then or later was no reason yet.
standing as (
    select
        person_days.person_id,
        person_days.active_on,
        rungs.rung,
        rungs.reason,
        row_number() over (
            partition by person_days.person_id, person_days.active_on
            order by rungs.rung
        ) as rung_rank
    from person_days
    inner join suppression_signals
        on
            person_days.person_id = suppression_signals.person_id
            and cast(person_days.active_on as timestamp) > suppression_signals.occurred_at
    inner join rungs
        on
            suppression_signals.signal_kind = rungs.rule
            and cast(person_days.active_on as timestamp)
            <= {{ add_hours('suppression_signals.occurred_at', 'rungs.window_hours') }}
    group by person_days.person_id, person_days.active_on, rungs.rung, rungs.reason
    having count(*) >= max(rungs.minimum)
),

final as (
    select
        recent.person_id,
        recent.platform,
        recent.audience,
        standing.reason,

        recent.active_on,

        recent.is_reached,
        standing.reason is not null as is_suppressed
    from recent
    left join standing
        on
            recent.person_id = standing.person_id
            and recent.active_on = standing.active_on
            and standing.rung_rank = 1
    where recent.is_reached or standing.reason is not null
)

select * from final
