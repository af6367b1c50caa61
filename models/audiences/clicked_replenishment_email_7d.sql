with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where
        channel = 'email'
        and message_class = 'replenishment'
        and {{ in_window('occurred_at', 7, 'day') }}
),

clicked as (
    {{ clicked_people('human_clicks') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 7 day as expires_at,
        'clicked a replenishment e-mail ' || cast(clicks as {{ dbt.type_string() }})
        || ' times in 7 days' as reason
    from clicked
)

select * from final
