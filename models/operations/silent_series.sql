-- Within hours, where volume_anomalies waits for the day to be over: how long ago each series last
-- spoke, beside how much it would have said in that time by its median day.
with volumes as (
    select * from {{ ref('load_volume_daily') }}
    where
        is_whole
        and is_regular
        and occurred_on >= {{ local_date(window_start(28, 'day')) }}
),

measured as (
    select
        feed,
        series,
        max(last_occurred_at) as last_occurred_at,
        median(events) as median_daily_events,
        count(*) as whole_days,
        {{ as_of() }} as judged_at
    from volumes
    group by feed, series
),

timed as (
    select
        *,
        {{ dbt.datediff('last_occurred_at', 'judged_at', 'second') }}
        / 3600.0e0 as silent_hours
    from measured
),

final as (
    select
        feed,
        series,
        last_occurred_at,
        cast(median_daily_events as double) as median_daily_events,
        silent_hours,
        median_daily_events * silent_hours / 24 as missed_events,
        whole_days >= 7
        and silent_hours >= {{ var('silence_hours') }}
        and median_daily_events * silent_hours / 24 >= {{ var('silence_events') }} as is_silent
    from timed
)

select * from final
