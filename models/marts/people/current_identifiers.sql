{{ config(materialized='view') }}

-- Of several identifiers of a kind the one seen last is the one to reach the person by. Most people
-- have one, and nothing is put in order.
with person_identifiers as (
    select * from {{ ref('person_identifiers') }}
),

several as (
    select
        person_id,
        identifier_type
    from person_identifiers
    group by person_id, identifier_type
    having count(*) > 1
),

ranked_identifiers as (
    select
        person_identifiers.person_id,
        person_identifiers.identifier_type,
        person_identifiers.identifier,
        row_number() over (
            partition by person_identifiers.person_id, person_identifiers.identifier_type
            order by
                person_identifiers.last_seen_at desc nulls last, person_identifiers.identifier desc
        ) as identifier_rank
    from person_identifiers
    inner join several
        on
            person_identifiers.person_id = several.person_id
            and person_identifiers.identifier_type = several.identifier_type
),

final as (
    select
        person_identifiers.person_id,
        person_identifiers.identifier_type,
        person_identifiers.identifier
    from person_identifiers
    left join several
        on
            person_identifiers.person_id = several.person_id
            and person_identifiers.identifier_type = several.identifier_type
    where several.person_id is null

    union all

    select
        person_id,
        identifier_type,
        identifier
    from ranked_identifiers
    where identifier_rank = 1
)

select * from final
