with source as (
    select * from {{ source('customerio', 'api_segments') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.segment_id,
        source.name,
        source.description,
        source.type as segment_type,
        source.state,
        source.tags,

        source.observed_at,

        source.progress
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
