{{ config(materialized='view') }}

with profiles as (
    select * from {{ ref('stg_people__people') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

ranked as (
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
        person_id,
        phone,
        first_name,
        last_name,
        country,
        postal_code
    from ranked
    where profile_rank = 1
)

select * from final
