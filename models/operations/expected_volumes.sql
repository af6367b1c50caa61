{{ config(materialized='view') }}

with weekday_volumes as (
    select * from {{ ref('weekday_volumes') }}
),

medians as (
    select
        feed,
        series,
        occurred_on,
        median(levelled_events) as expected_events,
        count(*) as weeks
    from weekday_volumes
    group by feed, series, occurred_on
    having count(*) >= 4
),

spreads as (
    select
        weekday_volumes.feed,
        weekday_volumes.series,
        weekday_volumes.occurred_on,
        max(weekday_volumes.events) as events,
        max(medians.expected_events) as expected_events,
        max(medians.weeks) as weeks,
        median(abs(weekday_volumes.levelled_events - medians.expected_events)) as deviation
    from weekday_volumes
    inner join medians
        on
            weekday_volumes.feed = medians.feed
            and weekday_volumes.series = medians.series
            and weekday_volumes.occurred_on = medians.occurred_on
    group by weekday_volumes.feed, weekday_volumes.series, weekday_volumes.occurred_on
),

-- 1.4826 makes a median deviation of a normal spread its standard deviation.
final as (
    select
        feed,
        series,
        occurred_on,
        events,
        cast(expected_events as double) as expected_events,
        cast(greatest(
            {{ var('volume_deviations') }} * 1.4826e0 * deviation,
            {{ var('volume_floor_share') }} * expected_events,
            {{ var('volume_floor_events') }}
        ) as double) as tolerance,
        weeks
    from spreads
)

select * from final
