{{ config(materialized='view') }}

with source_freshness as (
    select * from {{ ref('source_freshness') }}
),

volume_anomalies as (
    select * from {{ ref('volume_anomalies') }}
    where
        is_anomaly
        and occurred_on >= {{ local_date(window_start(2, 'day')) }}
),

silent_series as (
    select * from {{ ref('silent_series') }}
    where is_silent
),

schema_drift as (
    select * from {{ ref('schema_drift') }}
),

loads as (
    select count(complete_through) as feeds from source_freshness
),

final as (
    select
        'stale_feed' as alert_name,
        'high' as severity,
        feed as subject,
        'data' as alert_owner,
        complete_through as since_at,
        'whole until ' || cast(complete_through as {{ dbt.type_string() }}) as detail,
        'Load it; syncs that reach people hold still meanwhile.' as what_to_do
    from source_freshness
    where complete_through < {{ window_start(var('feed_stale_hours'), 'hour') }}

    union all

    select
        'nothing_loaded' as alert_name,
        'high' as severity,
        'feeds' as subject,
        'data' as alert_owner,
        cast(null as timestamp) as since_at,
        'no feed has been loaded yet, so every audience is empty' as detail,
        'Run cio init, then cio load and cio build.' as what_to_do
    from loads
    where feeds = 0

    union all

    select
        'volume_' || anomaly as alert_name,
        case when anomaly = 'drop' then 'high' else 'medium' end as severity,
        feed || ': ' || series || ' ' || cast(occurred_on as {{ dbt.type_string() }}) as subject,
        'data' as alert_owner,
        cast(occurred_on as timestamp) as since_at,
        explanation as detail,
        'See whether the source, the campaign or the taxonomy changed that day.' as what_to_do
    from volume_anomalies

    union all

    select
        'silent_series' as alert_name,
        'high' as severity,
        feed || ': ' || series as subject,
        'data' as alert_owner,
        last_occurred_at as since_at,
        'nothing for ' || {{ grouped_number('silent_hours') }}
        || ' hours, in which about '
        || {{ grouped_number('missed_events') }}
        || ' were to be expected' as detail,
        'See whether it still happens in the source, then whether it is still sent here.'
            as what_to_do
    from silent_series

    union all

    select
        'schema_drift' as alert_name,
        case when drift_kind = 'field emptied' then 'high' else 'medium' end as severity,
        feed || ': ' || subject as subject,
        'data' as alert_owner,
        since_at,
        case drift_kind
            when 'unknown word'
                then
                    'new, in ' || {{ grouped_number('rows_now') }}
                    || ' rows and in no seed'
            when 'lines refused'
                then
                    {{ grouped_number('rows_now') }} || ' in quarantine since a week, '
                    || cast(round(100 * share_now, 1) as {{ dbt.type_string() }})
                    || ' % of the feed'
            else
                'filled in ' || {{ grouped_number('100 * share_before') }}
                || ' % of rows before and in '
                || {{ grouped_number('100 * share_now') }} || ' % in two days'
        end as detail,
        case drift_kind
            when 'unknown word'
                then 'See what Customer.io means by it; audiences and rates pass it by.'
            when 'lines refused'
                then 'Read the reasons in the quarantine of the source, then load again.'
            else 'See what the source sends now; whatever goes by the field passes these rows by.'
        end as what_to_do
    from schema_drift
)

select * from final
