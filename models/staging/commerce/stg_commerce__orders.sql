{{ config(materialized='table') }}

-- A table: versions are put in order once, not by each model that reads them.
with source as (
    select * from {{ source('commerce', 'orders') }}
),

complete_loads as (
    {{ timed_loads('commerce') }}
),

-- The shop exports an order again when it changes. Between versions that give no time the one that
-- was loaded later is the newer.
ranked as (
    select
        source.*,
        row_number() over (
            partition by source.order_id
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
        order_id,
        {{ normalise_id('cio_id') }} as cio_id,
        {{ normalise_id('customer_id') }} as customer_id,
        {{ normalise_email('email') }} as email,
        upper(currency) as currency,
        discount_code,
        acquisition_channel,
        ordered_at,
        updated_at,
        total_amount,
        coalesce(discount_amount, 0) as discount_amount,
        coalesce(is_cancelled, false) as is_cancelled,
        version_rank
    from ranked
),

final as (
    select
        *,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key
    from renamed
)

select * from final
