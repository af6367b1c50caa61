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

counted as (
    select
        message_key,
        channel,
        human_clicks as total,
        0 as by_link,
        0 as by_device
    from campaign_performance_daily

    union all

    select
        message_key,
        channel,
        0 as total,
        human_clicks as by_link,
        0 as by_device
    from link_performance

    union all

    select
        message_key,
        channel,
        0 as total,
        0 as by_link,
        human_clicks as by_device
    from device_performance
)

select
    message_key,
    channel,
    sum(total) as total,
    sum(by_link) as by_link,
    sum(by_device) as by_device
from counted
group by message_key, channel
having sum(total) <> sum(by_link) or sum(total) <> sum(by_device)
