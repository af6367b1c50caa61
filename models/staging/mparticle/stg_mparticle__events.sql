with source as (
    select * from {{ source('mparticle', 'events') }}
),

complete_loads as (
    {{ complete_loads('mparticle') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        -- Events from servers may come without an id of either kind; then the text is the id.
        coalesce(source.event_id, source.source_message_id, md5(source.payload)) as event_key,
        md5(source.payload) as payload_hash,
        source.event_id,
        source.batch_id,
        source.session_id,
        source.mpid,
        source.device_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,

        lower(source.event_type) as event_type,
        coalesce(source.event_name, source.screen_name) as event_name,
        source.custom_event_type,
        lower(source.product_action) as product_action,
        source.transaction_id,
        source.product_ids,
        source.product_categories,
        source.products,
        source.attributes,
        lower(source.environment) as environment,

        source.occurred_at,

        upper(source.currency) as currency,
        coalesce(source.total_amount, source.products_amount) as amount
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        *,
        -- What an event is: should an id ever come back for another user or another thing, neither
        -- is lost.
        md5(
            event_key
            || '|' || coalesce(mpid, '')
            || '|' || event_type
            || '|' || cast(occurred_at as {{ dbt.type_string() }})
            || '|' || coalesce(event_name, '')
        ) as behaviour_event_id,
        {{ user_profile_key('customer_id', 'email', 'mpid') }} as profile_key,
        -- Of all event types mParticle forwards these two.
        case
            when event_type in ('custom_event', 'screen_view')
                then {{ mparticle_event_name('event_name') }}
        end as outgoing_name,
        coalesce(
            event_type = 'commerce_event' and product_action = 'purchase', false
        ) as is_purchase
    from renamed
)

select * from final
