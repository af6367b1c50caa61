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

received as (
    {{ people_with_at_least(3, 'deliveries', 'exposed_at', 'delivery_id') }}
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
        greatest(received.filled_at, clicked.first_clicked_at) as entered_at,
        least(received.holding_at, clicked.last_clicked_at) + interval 30 day as expires_at,
        'received ' || cast(received.row_count as {{ dbt.type_string() }})
        || ' e-mails in 30 days and clicked only SMS' as reason
    from received
    inner join clicked
        on received.person_id = clicked.person_id
    where clicked.sms_clicks >= 1 and clicked.email_clicks = 0
)

select * from final
