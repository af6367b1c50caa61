with source as (
    select * from {{ source('customerio', 'api_messages') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
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
        source.trigger_event_id,
        source.message_template_id,

        {{ normalise_object_type('source.type') }} as object_type,
        source.subject,
        source.failure_message,
        source.metrics,

        source.created_at,
        source.changed_at,
        source.observed_at,

        source.is_forgotten
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        delivery_id,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key,
        cio_id,
        customer_id,
        email,
        campaign_id,
        broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        parent_action_id,
        content_id,
        trigger_event_id,
        message_template_id,

        object_type,
        subject,
        failure_message,
        metrics,

        created_at,
        changed_at,
        observed_at,

        is_forgotten
    from renamed
)

select * from final
