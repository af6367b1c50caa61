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
        source.is_unsubscribed,
        {{ json_text('source.attributes', 'cio_subscription_preferences') }} as preferences
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

keyed as (
    select
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        stated_at,
        is_unsubscribed,
        preferences
    from renamed
    where is_unsubscribed is not null or preferences is not null
),

-- A profile says the same again whenever it is loaded.
final as (
    select
        profile_key,
        stated_at,
        is_unsubscribed as is_opted_out,
        preferences
    from keyed
    group by profile_key, stated_at, is_unsubscribed, preferences
)

select * from final
