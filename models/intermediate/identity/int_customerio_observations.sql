{{ config(materialized='view') }}

with webhook_events as (
    select * from {{ ref('stg_customerio__webhook_events') }}
),

api_messages as (
    select * from {{ ref('stg_customerio__api_messages') }}
),

export_people as (
    select * from {{ ref('stg_customerio__export_people') }}
),

export_attributes as (
    select * from {{ ref('stg_customerio__export_attributes') }}
    where attribute_name in ('email', 'id')
),

export_deliveries as (
    select * from {{ ref('stg_customerio__export_deliveries') }}
),

every_feed as (
    select
        load_id,
        profile_key,
        cio_id,
        customer_id,
        email,
        occurred_at as seen_at
    from webhook_events

    union all

    select
        load_id,
        profile_key,
        cio_id,
        customer_id,
        email,
        created_at as seen_at
    from api_messages

    union all

    select
        load_id,
        profile_key,
        cio_id,
        customer_id,
        email,
        coalesce(updated_at, created_at) as seen_at
    from export_people

    union all

    select
        load_id,
        profile_key,
        cio_id,
        case when attribute_name = 'id' then {{ normalise_id('attribute_value') }} end
            as customer_id,
        case when attribute_name = 'email' then {{ normalise_email('attribute_value') }} end
            as email,
        changed_at as seen_at
    from export_attributes

    union all

    select
        load_id,
        profile_key,
        cio_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        cast(null as {{ dbt.type_string() }}) as email,
        created_at as seen_at
    from export_deliveries
),

final as (
    select
        load_id,
        profile_key,
        cio_id,
        customer_id,
        email,
        seen_at
    from every_feed
    where profile_key is not null
)

select * from final
