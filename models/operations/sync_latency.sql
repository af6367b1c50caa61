with receipts as (
    select * from {{ ref('stg_reverse_etl__receipts') }}
    where outcome = 'accepted'
),

runs as (
    select * from {{ ref('stg_reverse_etl__runs') }}
),

builds as (
    select * from {{ ref('builds') }}
),

timed as (
    select
        receipts.sync,
        runs.destination,
        {{ local_date('receipts.finished_at') }} as accepted_on,
        receipts.occurred_at,
        receipts.finished_at,
        builds.started_at as built_at,
        runs.started_at as planned_at
    from receipts
    inner join runs
        on receipts.run_id = runs.run_id
    left join builds
        on runs.build_id = builds.build_id
),

measured as (
    select
        sync,
        destination,
        accepted_on,
        {{ dbt.datediff(
            'occurred_at', 'finished_at', 'second'
        ) }} as event_seconds,
        {{ dbt.datediff(
            'built_at', 'finished_at', 'second'
        ) }} as built_seconds,
        {{ dbt.datediff(
            'planned_at', 'finished_at', 'second'
        ) }} as planned_seconds
    from timed
),

final as (
    select
        sync,
        destination,
        accepted_on,
        count(*) as row_count,
        {{ percentile('event_seconds', 0.5) }} as event_to_accepted_p50_seconds,
        {{ percentile('event_seconds', 0.95) }} as event_to_accepted_p95_seconds,
        {{ percentile('built_seconds', 0.5) }} as built_to_accepted_p50_seconds,
        {{ percentile('built_seconds', 0.95) }} as built_to_accepted_p95_seconds,
        {{ percentile('planned_seconds', 0.5) }} as planned_to_accepted_p50_seconds,
        {{ percentile('planned_seconds', 0.95) }} as planned_to_accepted_p95_seconds
    from measured
    group by sync, destination, accepted_on
)

select * from final
