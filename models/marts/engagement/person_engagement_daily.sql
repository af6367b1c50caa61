with message_events as (
    select
        person_id,
        {{ local_date('occurred_at') }} as active_on,
        delivery_id,
        metric,
        is_human
    from {{ ref('message_events') }}
    where
        person_id is not null
        and not is_ghost
        and metric in ('opened', 'clicked', 'converted', 'unsubscribed', 'spammed')
        and occurred_at <= {{ as_of() }}
),

exposures as (
    select
        person_id,
        {{ local_date('exposed_at') }} as active_on
    from {{ ref('deliveries') }}
    where person_id is not null and exposed_at is not null
),

received as (
    select
        person_id,
        active_on,
        count(*) as messages_received
    from exposures
    group by person_id, active_on
),

responses as (
    select
        person_id,
        active_on,
        count(*) filter (where metric = 'opened' and is_human) as human_opens,
        count(*) filter (where metric = 'opened' and not is_human) as machine_opens,
        count(*) filter (where metric = 'clicked' and is_human) as human_clicks,
        count(*) filter (where metric = 'clicked' and not is_human) as machine_clicks,
        count(distinct delivery_id) filter (
            where metric = 'clicked' and is_human
        ) as messages_clicked,
        count(*) filter (where metric = 'converted') as conversions,
        count(*) filter (where metric = 'unsubscribed') as unsubscribes,
        count(*) filter (where metric = 'spammed') as complaints
    from message_events
    group by person_id, active_on
),

final as (
    select
        coalesce(received.person_id, responses.person_id) as person_id,
        coalesce(received.active_on, responses.active_on) as active_on,
        coalesce(received.messages_received, 0) as messages_received,
        coalesce(responses.human_opens, 0) as human_opens,
        coalesce(responses.machine_opens, 0) as machine_opens,
        coalesce(responses.human_clicks, 0) as human_clicks,
        coalesce(responses.machine_clicks, 0) as machine_clicks,
        coalesce(responses.messages_clicked, 0) as messages_clicked,
        coalesce(responses.conversions, 0) as conversions,
        coalesce(responses.unsubscribes, 0) as unsubscribes,
        coalesce(responses.complaints, 0) as complaints
    from received
    full outer join responses
        on
            received.person_id = responses.person_id
            and received.active_on = responses.active_on
)

select * from final
