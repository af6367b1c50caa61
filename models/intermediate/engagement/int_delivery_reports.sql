{{ config(materialized='view') }}

with webhook_events as (
    select * from {{ ref('stg_customerio__webhook_events') }}
    where delivery_id is not null
),

export_deliveries as (
    select * from {{ ref('stg_customerio__export_deliveries') }}
),

api_messages as (
    select * from {{ ref('stg_customerio__api_messages') }}
),

final as (
    select
        load_id,
        'webhook' as feed,
        delivery_id,
        profile_key,
        campaign_id,
        broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        parent_action_id,
        content_id,
        journey_id,
        object_type,
        cast(null as timestamp) as created_at,
        occurred_at as reported_at,
        cast(0 as bigint) as version_number,
        cast('1970-01-01' as timestamp) as version_at
    from webhook_events

    union all

    select
        load_id,
        'export' as feed,
        delivery_id,
        profile_key,
        campaign_id,
        cast(null as {{ dbt.type_string() }}) as broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        cast(null as {{ dbt.type_string() }}) as parent_action_id,
        content_id,
        cast(null as {{ dbt.type_string() }}) as journey_id,
        object_type,
        created_at,
        cast(null as timestamp) as reported_at,
        coalesce(seq_num, file_sequence, 0) as version_number,
        cast('1970-01-01' as timestamp) as version_at
    from export_deliveries

    union all

    select
        load_id,
        'api' as feed,
        delivery_id,
        profile_key,
        campaign_id,
        broadcast_id,
        newsletter_id,
        transactional_message_id,
        action_id,
        parent_action_id,
        content_id,
        cast(null as {{ dbt.type_string() }}) as journey_id,
        object_type,
        created_at,
        cast(null as timestamp) as reported_at,
        cast(0 as bigint) as version_number,
        observed_at as version_at
    from api_messages
)

select * from final
