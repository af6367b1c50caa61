with source as (
    select * from {{ source('customerio', 'api_segment_membership') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.segment_id,
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,

        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        *,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key
    from renamed
)

select * from final
