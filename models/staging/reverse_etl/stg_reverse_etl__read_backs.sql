with source as (
    select * from {{ source('reverse_etl', 'read_backs') }}
),

complete_loads as (
    {{ complete_loads('reverse_etl') }}
),

renamed as (
    select
        source.sync,
        source.destination,
        source.label,

        source.asked_at,

        source.members_sent,
        source.members_there
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
