with source as (
    select * from {{ source('people', 'merges') }}
),

complete_loads as (
    {{ complete_loads('people') }}
),

renamed as (
    select
        {{ normalise_id('source.primary_cio_id') }} as primary_cio_id,
        {{ normalise_id('source.secondary_cio_id') }} as secondary_cio_id,
        source.merged_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        primary_cio_id,
        secondary_cio_id,
        min(merged_at) as merged_at
    from renamed
    where primary_cio_id <> secondary_cio_id
    group by primary_cio_id, secondary_cio_id
)

select * from final
