-- What a run left behind: the plan says what was in place and what was to leave, the receipts what
-- was accepted since. Receipts alone would have to be read whole, at each build anew.
with planned_labels as (
    select * from {{ ref('stg_reverse_etl__planned_labels') }}
),

runs as (
    select * from {{ ref('stg_reverse_etl__runs') }}
),

receipts as (
    select * from {{ ref('stg_reverse_etl__receipts') }}
    where outcome = 'accepted'
),

accepted as (
    select
        run_id,
        sync,
        coalesce(label, '') as label,
        count(*) filter (where operation <> 'remove') as sent,
        count(*) filter (where operation = 'remove') as removed
    from receipts
    group by run_id, sync, coalesce(label, '')
),

final as (
    select
        planned_labels.run_id,
        planned_labels.sync,
        planned_labels.label,
        runs.destination,
        runs.use,
        runs.mode,
        runs.finished_at,
        planned_labels.wanted,
        planned_labels.in_place + coalesce(accepted.sent, 0) as delivered,
        planned_labels.wanted - planned_labels.in_place - coalesce(accepted.sent, 0) as missing,
        planned_labels.leaving - coalesce(accepted.removed, 0) as surplus
    from planned_labels
    inner join runs
        on
            planned_labels.run_id = runs.run_id
            and planned_labels.sync = runs.sync
    left join accepted
        on
            planned_labels.run_id = accepted.run_id
            and planned_labels.sync = accepted.sync
            and planned_labels.label = accepted.label
)

select * from final
