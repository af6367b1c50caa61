{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('order_id', touched_orders()) }}",
        post_hook=["{{ record_loads(['commerce']) }}", "{{ drop_touched() }}"]
    )
}}

{%- set columns = [
    'order_id', 'cio_id', 'customer_id', 'email', 'currency', 'discount_code',
    'acquisition_channel', 'ordered_at', 'updated_at', 'total_amount', 'discount_amount',
    'is_cancelled',
] %}

-- A table: versions are put in order once, not by each model that reads them, and again only those
-- of an order of which something new is told.
with source as (
    select * from {{ source('commerce', 'orders') }}
    {% if is_incremental() -%}
    where order_id in ({{ touched_keys() }})
    {%- endif %}
),

complete_loads as (
    {{ timed_loads('commerce') }}
),

-- Most orders are told once; only the others are put in order.
repeated as (
    select source.order_id
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
    group by source.order_id
    having count(*) > 1
),

-- The shop exports an order again when it changes. Between versions that give no time the one that
-- was loaded later is the newer.
ranked as (
    select
        {%- for column in columns %}
        source.{{ column }},
        {%- endfor %}
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
    inner join repeated
        on source.order_id = repeated.order_id
),

versions as (
    select
        {%- for column in columns %}
        source.{{ column }},
        {%- endfor %}
        1 as version_rank
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
    left join repeated
        on source.order_id = repeated.order_id
    where repeated.order_id is null

    union all

    select * from ranked
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
    from versions
),

final as (
    select
        *,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key
    from renamed
)

select * from final
