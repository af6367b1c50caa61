with source as (
    select * from {{ source('customerio', 'export_delivery_content') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.delivery_id,

        {{ normalise_object_type('source.object_type') }} as object_type,
        source.recipient,
        source.subject,
        source.preheader,

        source.file_sequence
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by delivery_id
            order by file_sequence desc, load_id desc
        ) as version_rank
    from renamed
),

final as (
    select
        load_id,
        workspace_id,
        delivery_id,

        object_type,
        recipient,
        subject,
        preheader,

        file_sequence
    from ranked
    where version_rank = 1
)

select * from final
