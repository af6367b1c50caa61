{%- set days = var('affinity_days') -%}

with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel is not null
        and {{ in_window('exposed_at', days, 'day') }}
),

-- A click on a message of the window, whenever it came.
counted as (
    select
        person_id,
        channel,
        max(exposed_at) as last_exposed_at,
        max(first_human_clicked_at) filter (
            where first_human_clicked_at <= {{ as_of() }}
        ) as last_clicked_at,
        count(*) as delivered,
        count(*) filter (where first_human_clicked_at <= {{ as_of() }}) as clicked
    from deliveries
    group by person_id, channel
),

totals as (
    select
        channel,
        cast(sum(clicked) as double) / nullif(sum(delivered), 0) as channel_click_rate
    from counted
    group by channel
),

-- A person's rate leans on the channel's own until they have received enough to speak for
-- themselves.
weighed as (
    select
        counted.*,
        totals.channel_click_rate,
        (counted.clicked + {{ var('affinity_prior_messages') }} * totals.channel_click_rate)
        / (counted.delivered + {{ var('affinity_prior_messages') }}) as expected_click_rate
    from counted
    inner join totals
        on counted.channel = totals.channel
),

final as (
    select
        person_id,
        channel,
        case
            when clicked > 0 then 'clicks'
            when delivered >= {{ var('affinity_ignored_messages') }} then 'ignores'
            else 'unknown'
        end as affinity,
        last_exposed_at,
        last_clicked_at,
        delivered,
        clicked,
        cast(clicked as double) / nullif(delivered, 0) as click_rate,
        expected_click_rate,
        row_number() over (
            partition by person_id
            order by clicked desc, expected_click_rate desc, delivered desc, channel asc
        ) = 1 and clicked > 0 as is_preferred
    from weighed
)

select * from final
