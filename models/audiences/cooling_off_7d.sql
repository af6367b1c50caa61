with touch_ledger as (
    select * from {{ ref('touch_ledger') }}
    where
        channel in ('email', 'sms', 'paid')
        and {{ in_window('touched_at', 7 + 3, 'day') }}
),

-- The contact that many contacts before this one: if it is at most 3 days older, this one was the
-- one too many.
spaced as (
    select
        person_id,
        touched_at,
        lag(touched_at, {{ var('cooling_off_messages') - 1 }}) over (
            partition by person_id
            order by touched_at, touch_id
        ) as first_of_burst_at
    from touch_ledger
),

hammered as (
    select
        person_id,
        min(touched_at) as first_hammered_at,
        max(touched_at) as last_hammered_at
    from spaced
    where
        first_of_burst_at >= touched_at - interval 3 day
        and {{ in_window('touched_at', 7, 'day') }}
    group by person_id
),

final as (
    select
        person_id,
        first_hammered_at as entered_at,
        last_hammered_at + interval 7 day as expires_at,
        'had {{ var("cooling_off_messages") }} or more e-mails, SMS and paid days within 3 days'
            as reason
    from hammered
)

select * from final
