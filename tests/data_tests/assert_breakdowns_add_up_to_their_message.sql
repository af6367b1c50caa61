-- A breakdown that does not add up to its total has lost clicks, or found some twice.
with campaign_performance_daily as (
    select * from {{ ref('campaign_performance_daily') }}
),

link_performance as (
    select * from {{ ref('link_performance') }}
),

device_performance as (
    select * from {{ ref('device_performance') }}
),

country_performance as (
    select * from {{ ref('country_performance') }}
),

-- People are in several segments: each adds up by itself.
by_segment as (
    select
        message_key,
        channel,
        segment_id,
        sum(human_clicks) as human_clicks
    from {{ ref('segment_performance') }}
    group by message_key, channel, segment_id
),

counted as (
    select
        message_key,
        channel,
        'total' as counted_by,
        human_clicks
    from campaign_performance_daily

    union all

    select
        message_key,
        channel,
        'link' as counted_by,
        human_clicks
    from link_performance

    union all

    select
        message_key,
        channel,
        'device' as counted_by,
        human_clicks
    from device_performance

    union all

    select
        message_key,
        channel,
        'country' as counted_by,
        human_clicks
    from country_performance

    union all

    select
        message_key,
        channel,
        'segment' as counted_by,
        max(human_clicks) as human_clicks
    from by_segment
    group by message_key, channel

    union all

    select
        message_key,
        channel,
        'least segment' as counted_by,
        min(human_clicks) as human_clicks
    from by_segment
    group by message_key, channel
),

summed as (
    select
        message_key,
        channel,
        coalesce(sum(human_clicks) filter (where counted_by = 'total'), 0) as by_total,
        coalesce(sum(human_clicks) filter (where counted_by = 'link'), 0) as by_link,
        coalesce(sum(human_clicks) filter (where counted_by = 'device'), 0) as by_device,
        coalesce(sum(human_clicks) filter (where counted_by = 'country'), 0) as by_country,
        -- where no segment was ever read there is nothing to add up
        sum(human_clicks) filter (where counted_by = 'segment') as by_segment,
        sum(human_clicks) filter (where counted_by = 'least segment') as by_least_segment
    from counted
    group by message_key, channel
)

select * from summed
where
    by_link <> by_total
    or by_device <> by_total
    or by_country <> by_total
    or by_segment <> by_total
    or by_least_segment <> by_total
