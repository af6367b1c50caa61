with source as (
    select * from {{ source('customerio', 'export_people') }}
),

complete_loads as (
    {{ complete_loads('customerio') }}
),

renamed as (
    select
        source._dlt_load_id as load_id,
        source.workspace_id,
        {{ normalise_id('source.internal_customer_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email_addr') }} as email,

        {{ known_instant('source.created_at') }} as created_at,
        {{ known_instant('source.updated_at') }} as updated_at,

        source.file_sequence,

        coalesce(source.deleted, false) as is_deleted,
        coalesce(source.suppressed, false) as is_suppressed
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
        customer_id,
        email,

        created_at,
        updated_at,

        file_sequence,

        is_deleted,
        is_suppressed
    from renamed
)

select * from final
