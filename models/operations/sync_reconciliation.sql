-- Three who say what a destination has: the model (what it should), the receipts (what it took) and
-- the destination itself, where it can tell.
with sync_labels as (
    select * from {{ ref('int_sync_labels') }}
),

read_backs as (
    select * from {{ ref('int_sync_read_backs') }}
),

newest as (
    select
        sync,
        max(run_id) as run_id
    from sync_labels
    group by sync
),

settled as (
    select
        sync,
        label,
        max(run_id) as run_id
    from sync_labels
    where missing = 0 and surplus = 0
    group by sync, label
),

streaks as (
    select
        sync_labels.sync,
        sync_labels.label,
        min(sync_labels.finished_at) as unsettled_since_at
    from sync_labels
    left join settled
        on
            sync_labels.sync = settled.sync
            and sync_labels.label = settled.label
    where settled.run_id is null or sync_labels.run_id > settled.run_id
    group by sync_labels.sync, sync_labels.label
),

final as (
    select
        sync_labels.sync,
        sync_labels.destination,
        sync_labels.label,
        sync_labels.use,
        sync_labels.mode,
        sync_labels.run_id,
        sync_labels.finished_at,
        streaks.unsettled_since_at,
        read_backs.asked_at,
        read_backs.off_since_at,
        sync_labels.wanted,
        sync_labels.delivered,
        sync_labels.missing,
        sync_labels.surplus,
        read_backs.members_sent,
        read_backs.members_there,
        read_backs.difference,
        case
            when streaks.unsettled_since_at is not null then 'unsettled'
            when read_backs.off_since_at is not null then 'differs_there'
            when read_backs.asked_at is not null then 'agrees_there'
            else 'settled'
        end as state
    from sync_labels
    inner join newest
        on
            sync_labels.sync = newest.sync
            and sync_labels.run_id = newest.run_id
    left join streaks
        on
            sync_labels.sync = streaks.sync
            and sync_labels.label = streaks.label
    left join read_backs
        on
            sync_labels.sync = read_backs.sync
            and sync_labels.label = read_backs.label
)

select * from final
