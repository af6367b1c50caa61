with events as (
    select * from {{ source('mparticle', 'events') }}
),

user_attributes as (
    select * from {{ source('mparticle', 'user_attributes') }}
),

identity_changes as (
    select * from {{ source('mparticle', 'identity_changes') }}
),

audience_memberships as (
    select * from {{ source('mparticle', 'audience_memberships') }}
),

complete_loads as (
    {{ complete_loads('mparticle') }}
),

statements as (
    select
        _dlt_load_id,
        customer_id,
        email,
        mpid,
        device_id,
        occurred_at,
        cast(null as timestamp) as created_at
    from events

    union all

    select
        _dlt_load_id,
        customer_id,
        email,
        mpid,
        device_id,
        occurred_at,
        created_at
    from user_attributes

    union all

    -- A new address belongs to the id it came with, and a first id to the address. An id in place
    -- of another stands alone: on a shared device it may be somebody else's, as its batches will
    -- tell.
    select
        _dlt_load_id,
        customer_id,
        new_identity as email,
        mpid,
        cast(null as {{ dbt.type_string() }}) as device_id,
        occurred_at,
        cast(null as timestamp) as created_at
    from identity_changes
    where lower(identity_type) = 'email' and new_identity is not null

    union all

    select
        _dlt_load_id,
        new_identity as customer_id,
        case when old_identity is null then email end as email,
        mpid,
        cast(null as {{ dbt.type_string() }}) as device_id,
        occurred_at,
        cast(null as timestamp) as created_at
    from identity_changes
    where
        lower(replace(identity_type, '_', '')) = 'customerid'
        and new_identity is not null

    union all

    select
        _dlt_load_id,
        customer_id,
        email,
        mpid,
        cast(null as {{ dbt.type_string() }}) as device_id,
        changed_at as occurred_at,
        cast(null as timestamp) as created_at
    from audience_memberships
),

renamed as (
    select
        statements._dlt_load_id as load_id,
        {{ normalise_id('statements.customer_id') }} as customer_id,
        {{ normalise_email('statements.email') }} as email,
        statements.mpid,
        statements.device_id,
        statements.occurred_at,
        statements.created_at
    from statements
    inner join complete_loads
        on statements._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        coalesce(customer_id, '')
        || '|' || coalesce(email, '')
        || '|' || coalesce(mpid, '')
        || '|' || coalesce(device_id, '') as identity_key,
        {{ user_profile_key('customer_id', 'email', 'mpid') }} as profile_key,
        customer_id,
        email,
        mpid,
        device_id,
        occurred_at,
        created_at
    from renamed
    where {{ user_profile_key('customer_id', 'email', 'mpid') }} is not null
)

select * from final
