with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where
        channel = 'email'
        and message_class = 'cart'
        and {{ in_window('occurred_at', 24, 'hour') }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

-- An order before the click does not count; one at the same instant or later does.
clicked as (
    select
        human_clicks.person_id,
        min(human_clicks.occurred_at) as first_clicked_at,
        max(human_clicks.occurred_at) as last_clicked_at,
        count(*) as clicks
    from human_clicks
    left join person_purchases
        on human_clicks.person_id = person_purchases.person_id
    where coalesce(person_purchases.last_ordered_at < human_clicks.occurred_at, true)
    group by human_clicks.person_id
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 24 hour as expires_at,
        'clicked a cart e-mail ' || cast(clicks as {{ dbt.type_string() }})
        || ' times and ordered nothing since' as reason
    from clicked
    where person_id not in (select opted_out.person_id from opted_out)
)

select * from final
