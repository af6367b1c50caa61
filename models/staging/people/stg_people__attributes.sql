with source as (
    select * from {{ source('people', 'people') }}
),

complete_loads as (
    {{ complete_loads('people') }}
),

renamed as (
    select
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        coalesce(source.updated_at, source.created_at) as stated_at,
        source.attributes
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
    where source.attributes is not null
),

final as (
    select
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        stated_at,
        attributes
    from renamed
)

select * from final
