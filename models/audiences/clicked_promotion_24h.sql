with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where is_promotional and {{ in_window('occurred_at', 24, 'hour') }}
),

clicked as (
    {{ clicked_people('human_clicks') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 24 hour as expires_at,
        'clicked a promotion ' || cast(clicks as {{ dbt.type_string() }})
        || ' times in 24 hours' as reason
    from clicked
)

select * from final
