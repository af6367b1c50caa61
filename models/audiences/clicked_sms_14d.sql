with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel = 'sms' and {{ in_window('occurred_at', 14, 'day') }}
),

clicked as (
    {{ clicked_people('human_clicks') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 14 day as expires_at,
        'clicked an SMS ' || cast(clicks as {{ dbt.type_string() }})
        || ' times in 14 days' as reason
    from clicked
)

select * from final
