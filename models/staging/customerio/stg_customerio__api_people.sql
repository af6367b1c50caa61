with source as (
    select * from {{ source('customerio', 'api_people') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.attributes,
        source.is_unsubscribed,
        source.observed_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

-- A profile is landed when something about it changed; every version tells identifiers it had.
final as (
    select
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        cio_id,
        customer_id,
        email,
        attributes,
        is_unsubscribed,
        observed_at,
        row_number() over (
            partition by cio_id
            order by observed_at desc, attributes desc nulls last
        ) as version_rank
    from renamed
    where cio_id is not null
)

select * from final
