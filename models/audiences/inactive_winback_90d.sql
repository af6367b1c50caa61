with human_clicks as (
    select * from {{ ref('human_clicks') }}
    where occurred_at <= {{ as_of() }}
),

behaviour_events as (
    select * from {{ ref('behaviour_events') }}
    where person_id is not null and occurred_at <= {{ as_of() }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

-- What a person did themselves: clicks, visits and orders. Opens say too little.
activity as (
    select
        person_id,
        occurred_at as active_at
    from human_clicks

    union all

    select
        person_id,
        occurred_at as active_at
    from behaviour_events

    union all

    select
        person_id,
        last_ordered_at as active_at
    from person_purchases
),

active as (
    select
        person_id,
        max(active_at) as last_active_at
    from activity
    group by person_id
),

final as (
    select
        person_id,
        last_active_at + interval 90 day as entered_at,
        cast(null as timestamp) as expires_at,
        'was active before, and clicked, visited and ordered nothing in 90 days' as reason
    from active
    where
        last_active_at < {{ window_start(90, 'day') }}
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
