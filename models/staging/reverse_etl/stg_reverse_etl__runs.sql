with source as (
    select * from {{ source('reverse_etl', 'runs') }}
),

complete_loads as (
    {{ complete_loads('reverse_etl') }}
),

renamed as (
    select
        source.run_id,
        source.sync,
        source.destination,
        source.use,
        source.mode,
        source.target,
        source.build_id,
        source.as_of,
        source.started_at,
        source.finished_at,
        source.planned,
        source.accepted,
        source.rejected,
        source.skipped,
        source.unknown,
        source.is_balanced,
        source.is_interrupted,
        coalesce(source.is_canary, false) as is_canary,
        source.forced_guards,
        source.stopped_guards,
        source.left_out
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
