with source as (
    select * from {{ source('commerce', 'cancellations') }}
),

complete_loads as (
    {{ complete_loads('commerce') }}
),

-- An order is called off once; should it be told twice, the first time counts.
renamed as (
    select
        source.order_id,
        min(source.cancelled_at) as cancelled_at,
        min_by(source.reason, (source.cancelled_at, source.reason)) as reason
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
    group by source.order_id
)

select * from renamed
