{{ config(materialized='view') }}

with source_freshness as (
    select * from {{ ref('source_freshness') }}
),

audience_sizes as (
    select * from {{ ref('audience_sizes') }}
),

-- An audience that is listed no more has nobody who watches it.
audience_size_anomalies as (
    select
        anomalies.*,
        coalesce(audience_sizes.monitored_by, 'retention') as monitored_by
    from {{ ref('audience_size_anomalies') }} as anomalies
    left join audience_sizes
        on anomalies.audience = audience_sizes.audience
),

loads as (
    select count(complete_through) as feeds from source_freshness
),

final as (
    select
        'audience_size_outside_band' as alert_name,
        'medium' as severity,
        audience as subject,
        monitored_by as alert_owner,
        as_of as since_at,
        {{ grouped_number('people') }} || ' people where '
        || {{ grouped_number('expected_low') }} || ' to '
        || {{ grouped_number('expected_high') }} || ' are expected' as detail,
        'Find out why; else correct expected_size.' as what_to_do
    from audience_sizes
    -- before anything was loaded every audience is empty: one thing to do, not one for each
    where is_outside and (select loads.feeds from loads) > 0

    union all

    select
        'audience_size_' || change_kind as alert_name,
        'medium' as severity,
        audience as subject,
        monitored_by as alert_owner,
        cast(observed_on as timestamp) as since_at,
        {{ grouped_number('people') }} || ' people where '
        || {{ grouped_number('expected_low') }} || ' to '
        || {{ grouped_number('expected_high') }}
        || ' were expected, by the same definition' as detail,
        'See what its events did in load_volume_daily.' as what_to_do
    from audience_size_anomalies
    where is_anomaly

    union all

    select
        'audience_churns' as alert_name,
        'medium' as severity,
        audience as subject,
        monitored_by as alert_owner,
        cast(observed_on as timestamp) as since_at,
        {{ grouped_number('100 * weekly_churn_rate') }} || ' % left within a week, where '
        || {{ grouped_number('100 * weekly_churn_limit') }} || ' % may' as detail,
        'See audience_membership for who comes and goes; a longer window steadies it.'
            as what_to_do
    from audience_size_anomalies
    where is_churning
)

select * from final
