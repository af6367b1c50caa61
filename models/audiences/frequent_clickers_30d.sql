with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where {{ in_window('occurred_at', 30, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

-- Three links of one message are one message clicked.
clicked_messages as (
    select
        person_id,
        delivery_id,
        min(occurred_at) as first_clicked_at,
        max(occurred_at) as last_clicked_at
    from human_clicks
    group by person_id, delivery_id
),

clicked as (
    {{ people_with_at_least(
        3, 'clicked_messages', 'first_clicked_at', 'delivery_id', last_instant='last_clicked_at'
    ) }}
),

final as (
    select
        person_id,
        filled_at as entered_at,
        holding_at + interval 30 day as expires_at,
        'clicked ' || cast(row_count as {{ dbt.type_string() }}) || ' messages in 30 days' as reason
    from clicked
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
