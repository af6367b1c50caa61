-- Whom mParticle knows by its own id alone nobody can reach, and a login makes somebody else of.
with person_identifiers as (
    select * from {{ ref('person_identifiers') }}
    where identifier_type <> 'mpid'
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

newest_profiles as (
    select * from {{ ref('int_newest_profiles') }}
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

current_identifiers as (
    select
        person_id,
        max(identifier) filter (where identifier_type = 'customer_id') as customer_id,
        max(identifier) filter (where identifier_type = 'email') as email
    from {{ ref('current_identifiers') }}
    where identifier_type <> 'mpid'
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

final as (
    select
        seen.person_id,
        canonical.cio_id,
        current_identifiers.customer_id,
        current_identifiers.email,
        newest_profiles.phone,
        newest_profiles.first_name,
        newest_profiles.last_name,
        newest_profiles.country,
        newest_profiles.postal_code,
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
    left join newest_profiles
        on seen.person_id = newest_profiles.person_id
)

select * from final
