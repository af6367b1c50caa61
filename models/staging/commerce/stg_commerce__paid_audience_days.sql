with source as (
    select * from {{ source('commerce', 'paid_audience_days') }}
),

complete_loads as (
    {{ complete_loads('commerce') }}
),

renamed as (
    select
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        lower(trim(source.platform)) as platform,
        source.audience,
        source.active_on
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

-- A day is told every time the audience is exported; it is one day.
final as (
    select
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        cio_id,
        customer_id,
        email,
        platform,
        audience,
        active_on
    from renamed
    group by cio_id, customer_id, email, platform, audience, active_on
)

select * from final
