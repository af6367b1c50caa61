with source as (
    select * from {{ source('customerio', 'export_outputs') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        source.output_id,
        source.subject_name,
        source.delivery_id,
        source.action_id,
        source.manual_segment_id,

        source.output_type,
        source.branch_index,
        source.split_test_index,

        {{ known_instant('source.created_at') }} as created_at,

        source.seq_num,
        source.file_sequence,

        source.draft as is_draft,
        source.add_to_manual_segment as is_added_to_segment
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

ranked as (
    select
        *,
        row_number() over (
            partition by output_id
            order by seq_num desc nulls last, file_sequence desc, load_id desc
        ) as version_rank
    from renamed
),

final as (
    select
        load_id,
        workspace_id,
        output_id,
        subject_name,
        delivery_id,
        action_id,
        manual_segment_id,

        output_type,
        branch_index,
        split_test_index,

        created_at,

        seq_num,
        file_sequence,

        is_draft,
        is_added_to_segment
    from ranked
    where version_rank = 1
)

select * from final
