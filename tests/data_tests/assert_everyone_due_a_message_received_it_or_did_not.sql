-- The two lists are disjoint and, together, everyone a message was made for.
with sorted as (
    select
        person_id,
        1 as lists
    from {{ ref('received_any_message_30d') }}

    union all

    select
        person_id,
        1 as lists
    from {{ ref('due_message_not_received_30d') }}

    union all

    select distinct
        person_id,
        -1 as lists
    from {{ ref('deliveries') }}
    where
        person_id is not null
        and {{ in_window('coalesce(exposed_at, first_event_at)', 30, 'day') }}
)

select
    person_id,
    sum(lists) as lists
from sorted
group by person_id
having sum(lists) <> 0
