{{ config(materialized='table') }}

-- A table: versions are put in order once, not by each model that reads them.
with source as (
    select * from {{ source('people', 'people') }}
),

complete_loads as (
    {{ complete_loads('people') }}
),

renamed as (
    select
        {{ normalise_id('source.cio_id') }} as cio_id,
        {{ normalise_id('source.customer_id') }} as customer_id,
        {{ normalise_email('source.email') }} as email,
        source.phone,
        source.first_name,
        source.last_name,
        coalesce(
            {{ json_text('source.attributes', 'country') }},
            {{ json_text('source.attributes', 'country_code') }}
        ) as country,
        coalesce(
            {{ json_text('source.attributes', 'postal_code') }},
            {{ json_text('source.attributes', 'zip') }}
        ) as postal_code,
        source.attributes,
        source.created_at,
        source.updated_at,
        source.is_unsubscribed,
        source.payload
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

keyed as (
    select
        *,
        {{ profile_key('cio_id', 'customer_id', 'email') }} as profile_key
    from renamed
),

-- The newest version of a profile stands, by its own time and then by its text.
ranked as (
    select
        *,
        row_number() over (
            partition by profile_key
            order by updated_at desc nulls last, payload desc
        ) as version_rank
    from keyed
),

final as (
    select
        profile_key,
        cio_id,
        customer_id,
        email,
        phone,
        first_name,
        last_name,
        country,
        postal_code,
        attributes,
        created_at,
        updated_at,
        is_unsubscribed
    from ranked
    where version_rank = 1
)

select * from final
