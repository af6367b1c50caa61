with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where message_class = 'cart' and {{ in_window('occurred_at', 12, 'hour') }}
),

clicked as (
    {{ clicked_people('human_clicks') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 12 hour as expires_at,
        'clicked a cart message ' || cast(clicks as {{ dbt.type_string() }})
        || ' times in 12 hours' as reason
    from clicked
)

select * from final
