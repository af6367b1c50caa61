{{ config(materialized='view') }}

-- A better identifier, or a merge, makes another person_id of somebody; by what they were known
-- first never changes but by history that is told later. Who is told of without a time was there
-- before anybody else told of them; of two at one instant the better identifier counts.
with observations as (
    select
        profile_key,
        min(case when first_seen_at is null then 0 else 1 end) as is_dated,
        min(first_seen_at) as first_seen_at
    from {{ ref('int_identifier_observations') }}
    where profile_key not like 'mpid:%'
    group by profile_key
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

ranked as (
    select
        profile_people.person_id,
        observations.profile_key,
        row_number() over (
            partition by profile_people.person_id
            order by
                observations.is_dated asc,
                case when observations.is_dated = 1 then observations.first_seen_at end asc,
                case
                    when observations.profile_key like 'cio:%' then 0
                    when observations.profile_key like 'id:%' then 1
                    else 2
                end asc,
                observations.profile_key asc
        ) as profile_rank
    from observations
    inner join profile_people
        on observations.profile_key = profile_people.profile_key
),

final as (
    select
        person_id,
        profile_key,
        md5(profile_key) as first_person_id
    from ranked
    where profile_rank = 1
)

select * from final
