with source as (
    select * from {{ source('customerio', 'export_broadcasts') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.broadcast_id,

        source.name,
        source.topic_names,

        {{ known_instant('source.created_at') }} as created_at,
        {{ known_instant('source.updated_at') }} as updated_at,

        source.file_sequence
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by broadcast_id, updated_at
            order by file_sequence desc, load_id desc
        ) as version_rank
    from renamed
),

final as (
    select
        load_id,
        workspace_id,
        broadcast_id,

        name,
        topic_names,

        created_at,
        updated_at,

        file_sequence
    from ranked
    where version_rank = 1
)

select * from final
