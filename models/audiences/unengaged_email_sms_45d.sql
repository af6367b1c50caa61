with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel in ('email', 'sms')
        and exposed_at <= {{ as_of() }}
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where channel in ('email', 'sms') and occurred_at <= {{ as_of() }}
),

received as (
    select
        person_id,
        min(exposed_at) as first_exposed_at
    from deliveries
    group by person_id
),

clicked as (
    select
        person_id,
        max(occurred_at) as last_clicked_at
    from human_clicks
    group by person_id
),

-- Nobody is unengaged who has not had 45 days to click.
final as (
    select
        received.person_id,
        greatest(
            received.first_exposed_at, coalesce(clicked.last_clicked_at, received.first_exposed_at)
        ) + interval 45 day as entered_at,
        cast(null as timestamp) as expires_at,
        'received messages and clicked no e-mail and no SMS in 45 days' as reason
    from received
    left join clicked
        on received.person_id = clicked.person_id
    where
        received.first_exposed_at <= {{ window_start(45, 'day') }}
        and coalesce(clicked.last_clicked_at < {{ window_start(45, 'day') }}, true)
)

select * from final
