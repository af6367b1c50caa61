-- All of history: where somebody is now counts for what they received years ago.
with deliveries as (
    select * from {{ ref('deliveries') }}
    where not is_ghost
),

people as (
    select * from {{ ref('people') }}
),

-- Where somebody is, is what is known of it now: no feed tells where a message was read.
placed as (
    select
        deliveries.*,
        coalesce(upper(nullif(trim(people.country), '')), 'UNKNOWN') as country
    from deliveries
    left join people
        on deliveries.person_id = people.person_id
),

counted as (
    select
        message_key,
        channel,
        country,
        count(sent_at) as sent,
        count(exposed_at) as delivered,
        count(first_human_clicked_at) as human_clicked,
        count(converted_at) as conversions,
        count(unsubscribed_at) as unsubscribes,
        count(spammed_at) as complaints,
        cast(sum(human_opens) as bigint) as human_opens,
        cast(sum(machine_opens) as bigint) as machine_opens,
        cast(sum(human_clicks) as bigint) as human_clicks,
        cast(sum(machine_clicks) as bigint) as machine_clicks
    from placed
    group by message_key, channel, country
),

final as (
    select
        message_key,
        channel,
        country,
        sent,
        delivered,
        human_clicked,
        conversions,
        unsubscribes,
        complaints,
        coalesce(human_opens, 0) as human_opens,
        coalesce(machine_opens, 0) as machine_opens,
        coalesce(human_clicks, 0) as human_clicks,
        coalesce(machine_clicks, 0) as machine_clicks,
        cast(human_clicked as double) / nullif(delivered, 0) as click_rate
    from counted
)

select * from final
