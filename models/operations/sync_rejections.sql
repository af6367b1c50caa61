with receipts as (
    select * from {{ ref('stg_reverse_etl__receipts') }}
    where outcome <> 'accepted'
),

runs as (
    select * from {{ ref('stg_reverse_etl__runs') }}
),

final as (
    select
        receipts.sync,
        runs.destination,
        receipts.operation,
        receipts.outcome,
        coalesce(receipts.reason, 'no reason given') as reason,
        count(*) as row_count,
        count(distinct receipts.record_key) as records,
        count(distinct receipts.run_id) as runs,
        min(receipts.finished_at) as first_at,
        max(receipts.finished_at) as last_at
    from receipts
    inner join runs
        on receipts.run_id = runs.run_id
    group by
        receipts.sync,
        runs.destination,
        receipts.operation,
        receipts.outcome,
        coalesce(receipts.reason, 'no reason given')
)

select * from final
