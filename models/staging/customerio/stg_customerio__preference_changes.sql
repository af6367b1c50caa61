with source as (
    select * from {{ source('customerio', 'webhook_events') }}
    where {{ normalise_metric('metric') }} = 'cio_subscription_preferences_changed'
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        {{ json_text('source.payload', 'data.content') }} as preferences,
        source.occurred_at
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        preferences,
        occurred_at
    from renamed
)

select * from final
