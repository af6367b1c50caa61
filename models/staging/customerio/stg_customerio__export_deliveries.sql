with source as (
    select * from {{ source('customerio', 'export_deliveries') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.delivery_id,
        {{ normalise_id('source.internal_customer_id') }} as cio_id,
        source.subject_id as subject_name,
        source.event_id as trigger_event_id,
        source.campaign_id,
        source.action_id,
        source.newsletter_id,
        source.content_id,
        source.trigger_id,
        source.transactional_message_id,

        {{ normalise_object_type('source.delivery_type') }} as object_type,

        {{ known_instant('source.created_at') }} as created_at,

        source.seq_num,
        source.file_sequence
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        workspace_id,
        delivery_id,
        'cio:' || cio_id as profile_key,
        cio_id,
        subject_name,
        trigger_event_id,
        campaign_id,
        action_id,
        newsletter_id,
        content_id,
        trigger_id,
        transactional_message_id,

        object_type,

        created_at,

        seq_num,
        file_sequence
    from renamed
)

select * from final
