{{ config(materialized='view') }}

with webhook_events as (
    select * from {{ ref('stg_customerio__webhook_events') }}
),

export_metrics as (
    select * from {{ ref('stg_customerio__export_metrics') }}
),

api_message_metrics as (
    select * from {{ ref('int_api_message_metrics') }}
),

final as (
    select
        load_id,
        'webhook' as feed,
        message_event_id as report_key,
        cast(0 as bigint) as version_number,
        event_id,
        delivery_id,
        profile_key,
        campaign_id,
        action_id,
        object_type,
        metric,
        link_id,
        href,
        failure_message,
        device_platform,
        occurred_at,
        is_proxied,
        is_prefetched,
        is_synthetic,
        is_machine
    from webhook_events

    union all

    select
        load_id,
        'export' as feed,
        coalesce(event_id, '') || '|' || delivery_id as report_key,
        coalesce(seq_num, file_sequence, 0) as version_number,
        event_id,
        delivery_id,
        cast(null as {{ dbt.type_string() }}) as profile_key,
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        cast(null as {{ dbt.type_string() }}) as action_id,
        cast(null as {{ dbt.type_string() }}) as object_type,
        metric,
        link_id,
        href,
        failure_message,
        cast(null as {{ dbt.type_string() }}) as device_platform,
        occurred_at,
        is_proxied,
        is_prefetched,
        cast(null as boolean) as is_synthetic,
        is_machine
    from export_metrics

    union all

    select
        cast(null as {{ dbt.type_string() }}) as load_id,
        'api' as feed,
        delivery_id
        || '|' || metric
        || '|' || cast(occurred_at as {{ dbt.type_string() }})
        || '|' || coalesce(cast(is_by_machine as {{ dbt.type_string() }}), '') as report_key,
        cast(0 as bigint) as version_number,
        cast(null as {{ dbt.type_string() }}) as event_id,
        delivery_id,
        cast(null as {{ dbt.type_string() }}) as profile_key,
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        cast(null as {{ dbt.type_string() }}) as action_id,
        cast(null as {{ dbt.type_string() }}) as object_type,
        metric,
        cast(null as {{ dbt.type_string() }}) as link_id,
        cast(null as {{ dbt.type_string() }}) as href,
        cast(null as {{ dbt.type_string() }}) as failure_message,
        cast(null as {{ dbt.type_string() }}) as device_platform,
        occurred_at,
        cast(null as boolean) as is_proxied,
        case when metric = 'opened' then is_by_machine end as is_prefetched,
        cast(null as boolean) as is_synthetic,
        case when metric = 'clicked' then is_by_machine end as is_machine
    from api_message_metrics
)

select * from final
