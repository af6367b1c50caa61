with source as (
    select * from {{ source('customerio', 'export_subjects') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.subject_name,
        {{ normalise_id('source.internal_customer_id') }} as cio_id,
        source.campaign_id,
        source.trigger_id,
        source.event_id as trigger_event_id,

        source.campaign_type,

        {{ known_instant('source.started_campaign_at') }} as started_at,
        {{ known_instant('source.created_at') }} as created_at,

        source.seq_num,
        source.file_sequence
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by subject_name
            order by seq_num desc nulls last, file_sequence desc, load_id desc
        ) as version_rank
    from renamed
),

final as (
    select
        load_id,
        workspace_id,
        subject_name,
        'cio:' || cio_id as profile_key,
        cio_id,
        campaign_id,
        trigger_id,
        trigger_event_id,

        campaign_type,

        started_at,
        created_at,

        seq_num,
        file_sequence
    from ranked
    where version_rank = 1
)

select * from final
