with source as (
    select * from {{ source('mparticle', 'audience_memberships') }}
),

complete_loads as (
    {{ complete_loads('mparticle') }}
),

renamed as (
    select
        source.mpid,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.audience_id,
        source.audience_name,
        source.changed_at,
        source.change = 'entered' as is_member
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

-- A change may be reported twice, and under a name the audience had at another time.
final as (
    select
        {{ user_profile_key('customer_id', 'email', 'mpid') }} as profile_key,
        mpid,
        customer_id,
        email,
        audience_id,
        max(audience_name) as audience_name,
        changed_at,
        is_member
    from renamed
    group by mpid, customer_id, email, audience_id, changed_at, is_member
)

select * from final
