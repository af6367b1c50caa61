with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel = 'email'
        and {{ in_window('exposed_at', 30, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel = 'email' and {{ in_window('occurred_at', 30, 'day') }}
),

-- The third e-mail brings them in; when the third newest leaves the window, they leave.
numbered as (
    select
        person_id,
        exposed_at,
        row_number() over (
            partition by person_id
            order by exposed_at, delivery_id
        ) as email_number,
        row_number() over (
            partition by person_id
            order by exposed_at desc, delivery_id desc
        ) as email_number_from_newest
    from deliveries
),

received as (
    select
        person_id,
        max(exposed_at) filter (where email_number = 3) as third_exposed_at,
        max(exposed_at) filter (where email_number_from_newest = 3) as third_newest_exposed_at,
        count(*) as emails
    from numbered
    group by person_id
),

final as (
    select
        person_id,
        third_exposed_at as entered_at,
        third_newest_exposed_at + interval 30 day as expires_at,
        'received ' || cast(emails as {{ dbt.type_string() }})
        || ' e-mails in 30 days and clicked none' as reason
    from received
    where
        emails >= 3
        and person_id not in (select human_clicks.person_id from human_clicks)
)

select * from final
