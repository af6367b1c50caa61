with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel = 'email'
        and {{ in_window('exposed_at', 30, 'day') }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel in ('email', 'sms') and {{ in_window('occurred_at', 30, 'day') }}
),

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

clicked as (
    select
        person_id,
        min(occurred_at) filter (where channel = 'sms') as first_clicked_at,
        max(occurred_at) filter (where channel = 'sms') as last_clicked_at,
        count(*) filter (where channel = 'sms') as sms_clicks,
        count(*) filter (where channel = 'email') as email_clicks
    from human_clicks
    group by person_id
),

-- Both halves make a member, so the later brings them in and the earlier to leave takes them out.
final as (
    select
        received.person_id,
        greatest(received.third_exposed_at, clicked.first_clicked_at) as entered_at,
        least(received.third_newest_exposed_at, clicked.last_clicked_at)
        + interval 30 day as expires_at,
        'received ' || cast(received.emails as {{ dbt.type_string() }})
        || ' e-mails in 30 days and clicked only SMS' as reason
    from received
    inner join clicked
        on received.person_id = clicked.person_id
    where received.emails >= 3 and clicked.sms_clicks >= 1 and clicked.email_clicks = 0
)

select * from final
