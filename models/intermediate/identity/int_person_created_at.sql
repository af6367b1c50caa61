-- mParticle's `created_at` is the device's own, and the last device overwrites it where it is
-- forwarded as it comes. The earliest over all of them never moves to a later instant.
with profiles as (
    select * from {{ ref('stg_people__people') }}
),

mparticle_identifiers as (
    select * from {{ ref('int_mparticle_identifiers') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

instants as (
    select
        profile_key,
        created_at
    from profiles

    union all

    select
        profile_key,
        created_at
    from mparticle_identifiers
    where profile_key not like 'mpid:%'

    union all

    select
        profile_key,
        first_seen_at as created_at
    from mparticle_identifiers
    -- a visit before anybody was known makes no account
    where profile_key not like 'mpid:%'
),

final as (
    select
        profile_people.person_id,
        min(instants.created_at) as created_at
    from instants
    inner join profile_people
        on instants.profile_key = profile_people.profile_key
    where instants.created_at is not null
    group by profile_people.person_id
)

select * from final
