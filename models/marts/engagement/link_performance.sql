-- Without trapped deliveries, so that the clicks of a message's links add up to the message's.
-- All of history: a link's people are counted once each, and a merge makes one of two.
with message_responses as (
    select * from {{ ref('message_responses') }}
    where
        metric = 'clicked'
        and not is_ghost
        and delivery_id is not null
        and occurred_at <= {{ as_of() }}
),

clicks as (
    select
        message_key,
        channel,
        coalesce(link_id, href, 'unknown') as link_key,
        link_id,
        href,
        person_id,
        occurred_at,
        is_human
    from message_responses
),

counted as (
    select
        message_key,
        channel,
        link_key,
        max(link_id) as link_id,
        max_by(href, (occurred_at, href)) as href,
        max(occurred_at) as last_clicked_at,
        count(*) filter (where is_human) as human_clicks,
        count(distinct person_id) filter (where is_human) as human_clickers,
        count(*) filter (where not is_human) as machine_clicks
    from clicks
    group by message_key, channel, link_key
),

final as (
    select
        message_key,
        channel,
        link_key,
        link_id,
        href,
        last_clicked_at,
        human_clicks,
        human_clickers,
        machine_clicks,
        cast(human_clicks as double)
        / nullif(sum(human_clicks) over (partition by message_key, channel), 0) as click_share
    from counted
)

select * from final
