with source as (
    select * from {{ source('mparticle', 'user_attributes') }}
),

complete_loads as (
    {{ complete_loads('mparticle') }}
),

renamed as (
    select
        source.mpid,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.attributes,
        source.deleted_attributes,
        lower(source.environment) as environment,
        source.occurred_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

-- Batches may come twice; a statement is one, whoever repeats it.
final as (
    select
        {{ user_profile_key('customer_id', 'email', 'mpid') }} as profile_key,
        mpid,
        customer_id,
        email,
        attributes,
        deleted_attributes,
        environment,
        occurred_at
    from renamed
    group by
        mpid,
        customer_id,
        email,
        attributes,
        deleted_attributes,
        environment,
        occurred_at
)

select * from final
