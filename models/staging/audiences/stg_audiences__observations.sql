with source as (
    select * from {{ source('audiences', 'observations') }}
),

complete_loads as (
    {{ complete_loads('audiences') }}
),

renamed as (
    select
        source.audience,
        source.person_id,
        source.build_id,
        source.version,
        source.change,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
