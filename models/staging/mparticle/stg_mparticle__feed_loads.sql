with source as (
    select * from {{ source('mparticle', 'feed_loads') }}
),

complete_loads as (
    {{ complete_loads('mparticle') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.feed,
        source.started_at,
        source.complete_through,
        source.files,
        source.records,
        source.duplicates,
        source.quarantined
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
)

select * from renamed
