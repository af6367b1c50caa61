with source as (
    select * from {{ source('reverse_etl', 'receipts') }}
),

complete_loads as (
    {{ complete_loads('reverse_etl') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.run_id,
        source.sync,
        source.record_key,
        source.person_id,

        source.operation,
        source.label,
        source.outcome,
        source.reason,
        source.attempts,

        source.occurred_at,
        source.sent_at,
        source.finished_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
