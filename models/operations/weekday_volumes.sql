{{ config(materialized='view') }}

-- The same weekday of the eight weeks before a day, brought to the day's level by how much the last
-- four weeks grew over the four before. Medians, so that one odd day neither hides another nor
-- raises an alarm.
with volumes as (
    select * from {{ ref('load_volume_daily') }}
    where is_whole and is_regular
),

judged_days as (
    select * from volumes
    where occurred_on >= {{ local_date(window_start(7, 'day')) }}
),

history as (
    select
        judged_days.feed,
        judged_days.series,
        judged_days.occurred_on,
        judged_days.events,
        volumes.occurred_on as past_on,
        volumes.events as past_events,
        -- Every day has its row, so the rows before a day are the days before it.
        row_number() over (
            partition by judged_days.feed, judged_days.series, judged_days.occurred_on
            order by volumes.occurred_on desc
        ) as days_before
    from judged_days
    inner join volumes
        on
            judged_days.feed = volumes.feed
            and judged_days.series = volumes.series
            and judged_days.occurred_on > volumes.occurred_on
    where volumes.occurred_on >= judged_days.occurred_on - interval 56 day
),

-- Never more than double or half over four weeks: beyond that it is a break, not a trend.
grown as (
    select
        feed,
        series,
        occurred_on,
        greatest(0.5e0, least(2.0e0, coalesce(
            median(past_events) filter (where days_before <= 28)
            / nullif(median(past_events) filter (where days_before > 28), 0), 1.0e0
        ))) as growth
    from history
    group by feed, series, occurred_on
),

final as (
    select
        history.feed,
        history.series,
        history.occurred_on,
        history.past_on,
        history.events,
        history.past_events,
        grown.growth,
        history.past_events * power(grown.growth, history.days_before / 28.0e0) as levelled_events
    from history
    inner join grown
        on
            history.feed = grown.feed
            and history.series = grown.series
            and history.occurred_on = grown.occurred_on
    where history.days_before % 7 = 0
)

select * from final
