with read_backs as (
    select * from {{ ref('stg_reverse_etl__read_backs') }}
    where members_there is not null
),

measured as (
    select
        sync,
        label,
        asked_at,
        members_sent,
        members_there,
        members_there - members_sent as difference,
        abs(members_there - members_sent) > greatest(
            {{ var('sync_size_floor') }}, {{ var('sync_size_tolerance') }} * members_sent
        ) as is_off
    from read_backs
),

newest as (
    select
        sync,
        label,
        max(asked_at) as asked_at,
        max(asked_at) filter (where not is_off) as last_agreed_at
    from measured
    group by sync, label
),

streaks as (
    select
        measured.sync,
        measured.label,
        min(measured.asked_at) as off_since_at
    from measured
    inner join newest
        on
            measured.sync = newest.sync
            and measured.label = newest.label
    where
        newest.last_agreed_at is null
        or measured.asked_at > newest.last_agreed_at
    group by measured.sync, measured.label
),

final as (
    select
        measured.sync,
        measured.label,
        measured.asked_at,
        measured.members_sent,
        measured.members_there,
        measured.difference,
        streaks.off_since_at
    from measured
    inner join newest
        on
            measured.sync = newest.sync
            and measured.label = newest.label
            and measured.asked_at = newest.asked_at
    left join streaks
        on
            measured.sync = streaks.sync
            and measured.label = streaks.label
)

select * from final
