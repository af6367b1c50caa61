-- Whom mParticle knows by its own id alone nobody can reach, and a login makes somebody else of.
with person_identifiers as (
    select * from {{ ref('person_identifiers') }}
    where identifier_type <> 'mpid'
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

profiles as (
    select * from {{ ref('stg_people__people') }}
),

person_created_at as (
    select * from {{ ref('int_person_created_at') }}
),

seen as (
    select
        person_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        count(*) as identifiers
    from person_identifiers
    group by person_id
),

-- Of several identifiers of a kind the one seen last is the one to reach the person by. Most people
-- have one, and nothing is put in order.
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

chosen_identifiers as (
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
),

current_identifiers as (
    select
        person_id,
        max(identifier) filter (where identifier_type = 'customer_id') as customer_id,
        max(identifier) filter (where identifier_type = 'email') as email
    from chosen_identifiers
    group by person_id
),

canonical as (
    select
        person_id,
        case
            when min(canonical_key) like 'cio:%' then substr(min(canonical_key), 5)
        end as cio_id
    from profile_people
    group by person_id
),

person_profiles as (
    select
        profile_people.person_id,
        profiles.phone,
        profiles.first_name,
        profiles.last_name,
        profiles.country,
        profiles.postal_code,
        row_number() over (
            partition by profile_people.person_id
            order by profiles.updated_at desc nulls last, profiles.profile_key asc
        ) as profile_rank
    from profiles
    inner join profile_people
        on profiles.profile_key = profile_people.profile_key
),

final as (
    select
        seen.person_id,
        canonical.cio_id,
        current_identifiers.customer_id,
        current_identifiers.email,
        person_profiles.phone,
        person_profiles.first_name,
        person_profiles.last_name,
        person_profiles.country,
        person_profiles.postal_code,
        person_created_at.created_at,
        seen.first_seen_at,
        seen.last_seen_at,
        seen.identifiers
    from seen
    inner join canonical
        on seen.person_id = canonical.person_id
    inner join current_identifiers
        on seen.person_id = current_identifiers.person_id
    left join person_created_at
        on seen.person_id = person_created_at.person_id
    left join person_profiles
        on
            seen.person_id = person_profiles.person_id
            and person_profiles.profile_rank = 1
)

select * from final
