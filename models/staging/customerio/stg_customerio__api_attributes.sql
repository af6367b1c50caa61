-- Beside `stg_customerio__api_people`, which puts versions in order: that takes longer than reading
-- one attribute of them.
with source as (
    select * from {{ source('customerio', 'api_people') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        {{ normalise_id('source.cio_id') }} as cio_id,
        source.attributes,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
    where source.attributes is not null
),

final as (
    select
        'cio:' || cio_id as profile_key,
        attributes,
        observed_at
    from renamed
    where cio_id is not null
)

select * from final
