{%- set floor_share = var('volume_floor_share') -%}
{%- set floor_events = var('volume_floor_events') -%}

-- The whole days of the last week, each beside the same weekday of the eight weeks before it. Those
-- are first brought to the day's level by how much the last four weeks grew over the four before.
-- Medians, so that one odd day neither hides another nor raises an alarm.
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

levelled as (
    select
        history.feed,
        history.series,
        history.occurred_on,
        history.events,
        history.past_events * power(grown.growth, history.days_before / 28.0e0) as past_events
    from history
    inner join grown
        on
            history.feed = grown.feed
            and history.series = grown.series
            and history.occurred_on = grown.occurred_on
    where history.days_before % 7 = 0
),

medians as (
    select
        feed,
        series,
        occurred_on,
        median(past_events) as expected_events,
        count(*) as weeks
    from levelled
    group by feed, series, occurred_on
    having count(*) >= 4
),

spreads as (
    select
        levelled.feed,
        levelled.series,
        levelled.occurred_on,
        max(levelled.events) as events,
        max(medians.expected_events) as expected_events,
        max(medians.weeks) as weeks,
        median(abs(levelled.past_events - medians.expected_events)) as deviation
    from levelled
    inner join medians
        on
            levelled.feed = medians.feed
            and levelled.series = medians.series
            and levelled.occurred_on = medians.occurred_on
    group by levelled.feed, levelled.series, levelled.occurred_on
),

-- 1.4826 makes a median deviation of a normal spread its standard deviation.
bands as (
    select
        *,
        greatest(
            {{ var('volume_deviations') }} * 1.4826e0 * deviation,
            {{ floor_share }} * expected_events,
            {{ floor_events }}
        ) as tolerance
    from spreads
),

judged as (
    select
        *,
        case
            when events < expected_events - tolerance then 'drop'
            when events > expected_events + tolerance then 'spike'
            else 'none'
        end as anomaly
    from bands
),

final as (
    select
        feed,
        series,
        occurred_on,
        anomaly,
        series || ' on ' || cast(occurred_on as {{ dbt.type_string() }}) || ': '
        || cast(events as {{ dbt.type_string() }}) || ' where '
        || cast(cast(greatest(expected_events - tolerance, 0) as bigint) as {{ dbt.type_string() }})
        || ' to '
        || cast(cast(expected_events + tolerance as bigint) as {{ dbt.type_string() }})
        || ' were expected from ' || cast(weeks as {{ dbt.type_string() }})
        || ' such weekdays' as explanation,
        events,
        cast(expected_events as double) as expected_events,
        cast(greatest(expected_events - tolerance, 0) as double) as expected_low,
        cast(expected_events + tolerance as double) as expected_high,
        weeks,
        anomaly <> 'none' as is_anomaly
    from judged
)

select * from final
