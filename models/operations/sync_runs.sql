{{ config(materialized='view') }}

with runs as (
    select * from {{ ref('stg_reverse_etl__runs') }}
),

final as (
    select
        run_id,
        sync,
        destination,
        use,
        mode,
        target,
        build_id,
        started_at,
        finished_at,
        planned,
        accepted,
        rejected,
        skipped,
        unknown,
        forced_guards,
        left_out,
        is_balanced,
        is_interrupted
    from runs
)

select * from final
