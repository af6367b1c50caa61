with export_people as (
    select * from {{ ref('stg_customerio__export_people') }}
    where coalesce(updated_at, created_at, {{ as_of() }}) <= {{ as_of() }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by cio_id
            order by
                updated_at desc nulls last,
                file_sequence desc nulls last,
                is_suppressed desc,
                is_deleted desc,
                customer_id asc nulls last,
                email asc nulls last
        ) as version_rank
    from export_people
),

final as (
    select
        profile_key,
        cio_id,
        customer_id,
        email,

        created_at,
        updated_at,

        is_deleted,
        is_suppressed
    from ranked
    where version_rank = 1
)

select * from final
