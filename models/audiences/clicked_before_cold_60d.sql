with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where occurred_at <= {{ as_of() }}
),

clicked as (
    select
        person_id,
        max(occurred_at) as last_clicked_at,
        count(*) as clicks
    from human_clicks
    group by person_id
),

final as (
    select
        person_id,
        last_clicked_at + interval 60 day as entered_at,
        cast(null as timestamp) as expires_at,
        'clicked ' || cast(clicks as {{ dbt.type_string() }})
        || ' times before, and not in 60 days' as reason
    from clicked
    where last_clicked_at < {{ window_start(60, 'day') }}
)

select * from final
