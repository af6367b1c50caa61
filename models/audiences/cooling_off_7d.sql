with deliveries as (
    select * from {{ ref('deliveries') }}
    where
        person_id is not null
        and channel in ('email', 'sms')
        and exposed_at <= {{ as_of() }}
),

-- The message that many messages before this one: if it is at most 3 days older, this one was the
-- one too many.
spaced as (
    select
        person_id,
        exposed_at,
        lag(exposed_at, {{ var('cooling_off_messages') - 1 }}) over (
            partition by person_id
            order by exposed_at, delivery_id
        ) as first_of_burst_at
    from deliveries
),

hammered as (
    select
        person_id,
        min(exposed_at) as first_hammered_at,
        max(exposed_at) as last_hammered_at
    from spaced
    where
        first_of_burst_at >= exposed_at - interval 3 day
        and {{ in_window('exposed_at', 7, 'day') }}
    group by person_id
),

final as (
    select
        person_id,
        first_hammered_at as entered_at,
        last_hammered_at + interval 7 day as expires_at,
        'received {{ var("cooling_off_messages") }} or more e-mails and SMS within 3 days' as reason
    from hammered
)

select * from final
