-- Messages, responses and visits are read once each for every experiment.
-- All of history: an experiment may have begun long ago, and a merge or another seed moves who is
-- in it since when.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where not is_mixed
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null and exposed_at <= {{ as_of() }}
),

message_responses as (
    select * from {{ ref('message_responses') }}
    where
        person_id is not null
        and not is_ghost
        and metric in ('clicked', 'unsubscribed', 'spammed')
        and (metric <> 'clicked' or is_human)
        and occurred_at <= {{ as_of() }}
),

behaviour_events as (
    select * from {{ ref('behaviour_events') }}
    where
        person_id is not null
        and event_type in (
            {%- for kind in var('visit_event_types') %}
            '{{ kind }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
        and coalesce(environment, '') <> 'development'
        and occurred_at <= {{ as_of() }}
),

contacts as (
    select
        person_id,
        exposed_at as occurred_at,
        'received' as contact
    from deliveries

    union all

    select
        person_id,
        occurred_at,
        metric as contact
    from message_responses

    union all

    select
        person_id,
        occurred_at,
        'visited' as contact
    from behaviour_events
),

placed as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        contacts.contact,
        contacts.occurred_at < experiment_people.index_at as is_before
    from experiment_people
    inner join contacts
        on
            experiment_people.person_id = contacts.person_id
            and experiment_people.window_ends_at > contacts.occurred_at
            and {{ add_hours('experiment_people.index_at', -336) }} <= contacts.occurred_at
),

final as (
    select
        experiment_id,
        person_id,
        count(*) filter (where is_before and contact = 'received') as messages_before_14d,
        count(*) filter (where is_before and contact = 'clicked') as clicks_before_14d,
        count(*) filter (where not is_before and contact = 'received') as messages_received,
        coalesce(bool_or(not is_before and contact = 'clicked'), false) as has_clicked,
        coalesce(bool_or(not is_before and contact = 'unsubscribed'), false) as has_unsubscribed,
        coalesce(bool_or(not is_before and contact = 'spammed'), false) as has_complained,
        coalesce(bool_or(not is_before and contact = 'visited'), false) as has_visited
    from placed
    group by experiment_id, person_id
)

select * from final
