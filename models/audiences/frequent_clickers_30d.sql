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

numbered as (
    select
        *,
        row_number() over (
            partition by person_id
            order by first_clicked_at, delivery_id
        ) as message_number,
        row_number() over (
            partition by person_id
            order by last_clicked_at desc, delivery_id desc
        ) as message_number_from_newest
    from clicked_messages
),

clicked as (
    select
        person_id,
        max(first_clicked_at) filter (where message_number = 3) as entered_at,
        max(last_clicked_at) filter (where message_number_from_newest = 3) as leaving_clicked_at,
        count(*) as messages
    from numbered
    group by person_id
),

final as (
    select
        person_id,
        entered_at,
        leaving_clicked_at + interval 30 day as expires_at,
        'clicked ' || cast(messages as {{ dbt.type_string() }}) || ' messages in 30 days' as reason
    from clicked
    where
        messages >= 3
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
