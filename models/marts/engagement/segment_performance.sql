{{ config(materialized='view') }}

-- A view: every message beside every segment is much to work out, and is asked for rarely.
with deliveries as (
    select
        *,
        coalesce(sent_at, first_event_at) as due_at
    from {{ ref('deliveries') }}
    where not is_ghost
),

segment_stays as (
    select * from {{ ref('int_segment_stays') }}
),

segments as (
    select
        segment_id,
        min(observed_at) as first_read_at
    from {{ ref('int_segment_readings') }}
    group by segment_id
),

inside as (
    select
        deliveries.delivery_id,
        segment_stays.segment_id
    from deliveries
    inner join segment_stays
        on
            deliveries.person_id = segment_stays.person_id
            and deliveries.due_at >= segment_stays.seen_from_at
            and deliveries.due_at < coalesce(
                segment_stays.seen_until_at, cast('9999-12-31' as timestamp)
            )
),

-- Apart from the join below: DuckDB writes the two together in a view so that it cannot read them.
beside as (
    select
        deliveries.*,
        segments.segment_id,
        segments.first_read_at
    from deliveries
    cross join segments
),

placed as (
    select
        beside.*,
        case
            when inside.delivery_id is not null then 'in'
            when beside.person_id is null then 'unknown'
            when beside.due_at < beside.first_read_at then 'unknown'
            else 'out'
        end as membership
    from beside
    left join inside
        on
            beside.delivery_id = inside.delivery_id
            and beside.segment_id = inside.segment_id
),

counted as (
    select
        message_key,
        channel,
        segment_id,
        membership,
        count(sent_at) as sent,
        count(exposed_at) as delivered,
        count(first_human_clicked_at) as human_clicked,
        count(converted_at) as conversions,
        count(unsubscribed_at) as unsubscribes,
        count(spammed_at) as complaints,
        cast(coalesce(sum(human_opens), 0) as bigint) as human_opens,
        cast(coalesce(sum(machine_opens), 0) as bigint) as machine_opens,
        cast(coalesce(sum(human_clicks), 0) as bigint) as human_clicks,
        cast(coalesce(sum(machine_clicks), 0) as bigint) as machine_clicks
    from placed
    group by message_key, channel, segment_id, membership
),

final as (
    select
        message_key,
        channel,
        segment_id,
        membership,
        sent,
        delivered,
        human_clicked,
        conversions,
        unsubscribes,
        complaints,
        human_opens,
        machine_opens,
        human_clicks,
        machine_clicks,
        cast(human_clicked as double) / nullif(delivered, 0) as click_rate
    from counted
)

select * from final
