with source as (
    select * from {{ source('commerce', 'refunds') }}
),

complete_loads as (
    {{ complete_loads('commerce') }}
),

-- Of two versions of one refund the later stands, by its own time and then by its text.
ranked as (
    select
        source.*,
        row_number() over (
            partition by source.refund_id
            order by source.refunded_at desc, source.payload desc
        ) as version_rank
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

renamed as (
    select
        refund_id,
        order_id,
        refunded_at,
        upper(trim(currency)) as currency,
        amount,
        coalesce(is_full, false) as is_full
    from ranked
    where version_rank = 1
)

select * from renamed
