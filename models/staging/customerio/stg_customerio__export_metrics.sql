with source as (
    select * from {{ source('customerio', 'export_metrics') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.event_id,
        source.delivery_id,

        {{ normalise_metric('source.metric') }} as metric,
        source.link_id,
        source.link_url as href,
        source.reason as failure_message,
        source.email_client,
        source.inbox_provider,

        date_trunc('second', source.created_at) as occurred_at,

        source.seq_num,
        source.file_sequence,

        source.proxied as is_proxied,
        source.prefetched as is_prefetched,
        source.machine as is_machine
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        workspace_id,
        event_id,
        delivery_id,

        metric,
        link_id,
        href,
        failure_message,
        email_client,
        inbox_provider,

        occurred_at,

        seq_num,
        file_sequence,

        is_proxied,
        is_prefetched,
        is_machine
    from renamed
)

select * from final
