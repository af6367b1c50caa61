with source as (
    select * from {{ source('reverse_etl', 'planned_labels') }}
),

complete_loads as (
    {{ complete_loads('reverse_etl') }}
),

renamed as (
    select
        source.run_id,
        source.sync,
        source.label,

        source.wanted,
        source.in_place,
        source.leaving
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
