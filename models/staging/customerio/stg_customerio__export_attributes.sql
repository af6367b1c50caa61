with source as (
    select * from {{ source('customerio', 'export_attributes') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        {{ normalise_id('source.internal_customer_id') }} as cio_id,

        source.attribute_name,
        source.attribute_value,

        {{ known_instant('source.changed_at') }} as changed_at,

        source.file_sequence
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

final as (
    select
        load_id,
        workspace_id,
        'cio:' || cio_id as profile_key,
        cio_id,

        attribute_name,
        attribute_value,

        changed_at,

        file_sequence
    from renamed
)

select * from final
