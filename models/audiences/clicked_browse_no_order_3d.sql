with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where message_class = 'browse' and {{ in_window('occurred_at', 3, 'day') }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

clicked as (
    {{ clicked_without_order_since('human_clicks', 'person_purchases') }}
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 3 day as expires_at,
        'clicked a browse message ' || cast(clicks as {{ dbt.type_string() }})
        || ' times and ordered nothing since' as reason
    from clicked
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
