with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

resolved as (
    select
        observations.cio_id,
        observations.customer_id,
        observations.email,
        case
            when observations.profile_key like 'mpid:%' then substr(observations.profile_key, 6)
        end as mpid,
        observations.first_seen_at,
        observations.last_seen_at,
        profile_people.person_id
    from observations
    inner join profile_people
        on observations.profile_key = profile_people.profile_key
),

-- A merged profile may be known from the merge alone.
merged as (
    select
        profile_people.person_id,
        'cio_id' as identifier_type,
        substr(profile_people.profile_key, 5) as identifier,
        cast(null as timestamp) as first_seen_at,
        cast(null as timestamp) as last_seen_at
    from profile_people
    where profile_people.profile_key like 'cio:%'
),

listed as (
    select
        person_id,
        'cio_id' as identifier_type,
        cio_id as identifier,
        first_seen_at,
        last_seen_at
    from resolved
    where cio_id is not null

    union all

    select
        person_id,
        'customer_id' as identifier_type,
        customer_id as identifier,
        first_seen_at,
        last_seen_at
    from resolved
    where customer_id is not null

    union all

    select
        person_id,
        'email' as identifier_type,
        email as identifier,
        first_seen_at,
        last_seen_at
    from resolved
    where email is not null

    union all

    select
        person_id,
        'mpid' as identifier_type,
        mpid as identifier,
        first_seen_at,
        last_seen_at
    from resolved
    where mpid is not null

    union all

    select
        person_id,
        identifier_type,
        identifier,
        first_seen_at,
        last_seen_at
    from merged
),

grouped as (
    select
        person_id,
        identifier_type,
        identifier,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from listed
    group by person_id, identifier_type, identifier
),

final as (
    select
        person_id,
        identifier_type,
        identifier,
        first_seen_at,
        last_seen_at,
        count(*) over (partition by identifier_type, identifier) > 1 as is_shared
    from grouped
)

select * from final
