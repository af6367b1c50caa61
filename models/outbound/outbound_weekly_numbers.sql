with campaign_performance_daily as (
    select * from {{ ref('campaign_performance_daily') }}
),

-- Machines open, so opens are not told of: they would be believed.
weeks as (
    select
        cast({{ dbt.date_trunc('week', 'sent_on') }} as date) as week_on,
        channel,
        cast(sum(delivered) as bigint) as delivered,
        cast(sum(human_clicked) as bigint) as human_clicked,
        cast(sum(unsubscribes) as bigint) as unsubscribes
    from campaign_performance_daily
    group by
        cast({{ dbt.date_trunc('week', 'sent_on') }} as date),
        channel
),

compared as (
    select
        weeks.week_on,
        weeks.channel,
        weeks.delivered,
        coalesce(earlier.delivered, 0) as delivered_before,
        cast(weeks.human_clicked as double) / nullif(weeks.delivered, 0) as click_rate,
        cast(earlier.human_clicked as double) / nullif(earlier.delivered, 0) as click_rate_before,
        cast(weeks.unsubscribes as double) / nullif(weeks.delivered, 0) as unsubscribe_rate
    from weeks
    left join weeks as earlier
        on
            weeks.week_on = earlier.week_on + interval 7 day
            and weeks.channel = earlier.channel
    where weeks.delivered > 0
),

written as (
    select
        week_on,
        channel,
        {{ json_object([
            ('channel', 'channel'),
            ('delivered', 'delivered'),
            ('delivered_before', 'delivered_before'),
            ('click_rate', 'round(click_rate, 4)'),
            ('click_rate_before', 'round(click_rate_before, 4)'),
            ('unsubscribe_rate', 'round(unsubscribe_rate, 4)'),
        ]) }} as numbers
    from compared
    -- the week is over when the day after it has begun
    where week_on + interval 7 day <= {{ local_date(as_of()) }}
),

listed as (
    select
        week_on,
        '{"title":"Week of ' || cast(week_on as {{ dbt.type_string() }}) || '","rows":['
        || {{ dbt.listagg('numbers', "','", 'order by channel') }}
        || ']}' as payload
    from written
    group by week_on
),

final as (
    select
        'week:' || cast(week_on as {{ dbt.type_string() }}) as record_key,
        cast(null as {{ dbt.type_string() }}) as person_id,
        week_on,
        cast(week_on + interval 7 day as timestamp) as occurred_at,
        '' as label,
        payload,
        md5(payload) as fingerprint
    from listed
)

select * from final
