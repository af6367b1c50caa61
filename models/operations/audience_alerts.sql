{{ config(materialized='view') }}

with source_freshness as (
    select * from {{ ref('source_freshness') }}
),

audience_sizes as (
    select * from {{ ref('audience_sizes') }}
    where is_outside
),

audience_size_anomalies as (
    select * from {{ ref('audience_size_anomalies') }}
),

loads as (
    select count(complete_through) as feeds from source_freshness
),

final as (
    select
        'audience_size_outside_band' as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        as_of as since_at,
        cast(people as {{ dbt.type_string() }}) || ' people where '
        || cast(expected_low as {{ dbt.type_string() }}) || ' to '
        || cast(expected_high as {{ dbt.type_string() }}) || ' are expected' as detail,
        'Find out why; else correct expected_size.' as what_to_do
    from audience_sizes
    -- before anything was loaded every audience is empty: one thing to do, not one for each
    where (select loads.feeds from loads) > 0

    union all

    select
        'audience_size_' || change_kind as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        cast(observed_on as timestamp) as since_at,
        cast(people as {{ dbt.type_string() }}) || ' people where '
        || cast(cast(expected_low as bigint) as {{ dbt.type_string() }}) || ' to '
        || cast(cast(expected_high as bigint) as {{ dbt.type_string() }})
        || ' were expected, by the same definition' as detail,
        'See what its events did in load_volume_daily.' as what_to_do
    from audience_size_anomalies
    where is_anomaly

    union all

    select
        'audience_churns' as alert_name,
        'medium' as severity,
        audience as subject,
        'retention' as alert_owner,
        cast(observed_on as timestamp) as since_at,
        cast(round(100 * weekly_churn_rate) as {{ dbt.type_string() }})
        || ' % left within a week, where '
        || cast(round(100 * weekly_churn_limit) as {{ dbt.type_string() }}) || ' % may' as detail,
        'See audience_membership for who comes and goes; a longer window steadies it.'
            as what_to_do
    from audience_size_anomalies
    where is_churning
)

select * from final
