-- Days on which nothing happened have a row too, from a series' first day to the last whole day, or
-- a feed that stopped would look like one that has not come yet.
-- All of history: a late event belongs to an old day, and what is expected of a day rests on those
-- before it.
with message_events as (
    select
        *,
        {{ local_date('occurred_at') }} as occurred_on,
        -- What somebody sends to many at once comes when they do, and not by the weekday.
        broadcast_id is not null or newsletter_id is not null as is_broadcast
    from {{ ref('int_message_events') }}
    where occurred_at <= {{ as_of() }}
),

orders as (
    select * from {{ ref('int_orders') }}
    where ordered_at <= {{ as_of() }}
),

behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
    where occurred_at <= {{ as_of() }}
),

counted as (
    select
        'messages' as feed,
        coalesce(channel, object_type, 'unknown') || ' ' || metric
        || case when is_broadcast then ' of broadcasts' else '' end as series,
        occurred_on,
        count(*) as events,
        max(occurred_at) as last_occurred_at,
        not is_broadcast as is_regular
    from message_events
    group by coalesce(channel, object_type, 'unknown'), metric, is_broadcast, occurred_on

    union all

    select
        'orders' as feed,
        'orders' as series,
        {{ local_date('ordered_at') }} as occurred_on,
        count(*) as events,
        max(ordered_at) as last_occurred_at,
        true as is_regular
    from orders
    group by {{ local_date('ordered_at') }}

    union all

    select
        'behaviour' as feed,
        event_type as series,
        {{ local_date('occurred_at') }} as occurred_on,
        count(*) as events,
        max(occurred_at) as last_occurred_at,
        true as is_regular
    from behaviour_events
    group by event_type, {{ local_date('occurred_at') }}
),

spans as (
    select
        feed,
        series,
        min(occurred_on) as first_on,
        max(last_occurred_at) as last_occurred_at,
        bool_and(is_regular) as is_regular
    from counted
    group by feed, series
),

days as (
    select
        feed,
        series,
        last_occurred_at,
        is_regular,
        {{ day_rows('first_on', local_date(as_of())) }} as occurred_on
    from spans
),

final as (
    select
        days.feed,
        days.series,
        days.occurred_on,
        days.last_occurred_at,
        coalesce(counted.events, 0) as events,
        days.is_regular,
        days.occurred_on < {{ local_date(as_of()) }} as is_whole
    from days
    left join counted
        on
            days.feed = counted.feed
            and days.series = counted.series
            and days.occurred_on = counted.occurred_on
)

select * from final
