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
        stopped_guards,
        left_out,
        is_balanced,
        is_interrupted,
        is_canary,
        -- a killed or misled run is known by its balance, not by how it ended
        case
            when not is_balanced then 'unbalanced'
            when is_interrupted then 'interrupted'
            when stopped_guards is not null then 'held'
            when planned > 0 and accepted = 0 then 'failed'
            else 'done'
        end as state
    from runs
)

select * from final
