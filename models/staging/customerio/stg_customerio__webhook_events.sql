with source as (
    select * from {{ source('customerio', 'webhook_events') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        -- What an occurrence is: two lines that share the vendor's id and say the same thing are
        -- one; should a vendor ever reuse an id for another thing, neither is lost.
        md5(
            source.event_id
            || '|' || source.object_type
            || '|' || source.metric
            || '|' || cast(source.occurred_at as {{ dbt.type_string() }})
            || '|' || coalesce(source.delivery_id, '')
        ) as message_event_id,
        source.event_id,
        source.delivery_id,
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.campaign_id,
        source.broadcast_id,
        source.newsletter_id,
        source.transactional_message_id,
        source.action_id,
        source.parent_action_id,
        source.content_id,
        source.journey_id,

        {{ normalise_object_type('source.object_type') }} as object_type,
        {{ normalise_metric('source.metric') }} as metric,
        source.link_id,
        source.href,
        source.failure_message,
        source.device_platform,

        source.occurred_at,

        source.is_proxied,
        source.is_prefetched,
        source.is_synthetic,
        source.is_machine
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
