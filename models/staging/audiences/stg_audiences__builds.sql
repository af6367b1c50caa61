with source as (
    select * from {{ source('audiences', 'builds') }}
),

complete_loads as (
    {{ complete_loads('audiences') }}
),

renamed as (
    select
        source.audience,
        source.build_id,
        source.observed_at,
        source.version,
        source.checksum,
        source.people,
        source.entered_people,
        source.left_people
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
