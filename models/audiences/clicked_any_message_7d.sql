with message_events as (
    select * from {{ ref('message_events') }}
),

clicks as (
    select
        person_id,
        min(occurred_at) as first_clicked_at,
        max(occurred_at) as last_clicked_at,
        count(*) as clicks
    from message_events
    where
        person_id is not null
        and metric = 'clicked'
        and is_human
        and not is_ghost
        and occurred_at between {{ window_start(7, 'day') }} and {{ as_of() }}
    group by person_id
),

final as (
    select
        person_id,
        first_clicked_at as entered_at,
        last_clicked_at + interval 7 day as expires_at,
        'clicked ' || cast(clicks as {{ dbt.type_string() }}) || ' times in 7 days' as reason
    from clicks
)

select * from final
