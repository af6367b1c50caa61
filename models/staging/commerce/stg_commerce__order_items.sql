with source as (
    select * from {{ source('commerce', 'order_items') }}
),

complete_loads as (
    {{ timed_loads('commerce') }}
),

-- A shop that gives its lines no id tells them apart by product. Of versions without a time the one
-- that was loaded later stands.
ranked as (
    select
        source.*,
        row_number() over (
            partition by source.order_id, coalesce(source.item_id, source.product_id, source.sku)
            order by
                source.updated_at desc nulls last,
                complete_loads.loaded_at desc,
                source.source_line desc nulls last,
                source.payload desc
        ) as version_rank
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

renamed as (
    select
        order_id || '|' || coalesce(item_id, product_id, sku) as order_item_id,
        order_id,
        item_id,
        product_id,
        sku,
        product_name,
        product_family,
        updated_at,
        coalesce(quantity, 1) as quantity,
        unit_price,
        unit_cost,
        coalesce(discount_amount, 0) as discount_amount,
        -- Without a total of its own a line costs what its pieces do, less what was taken off.
        cast(
            coalesce(
                total_amount,
                cast(unit_price * coalesce(quantity, 1) as decimal(18, 4))
                - coalesce(discount_amount, 0)
            ) as decimal(18, 4)
        ) as total_amount
    from ranked
    where version_rank = 1
)

select * from renamed
