with profiles as (
    select * from {{ ref('stg_people__people') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- The oldest profile that says so knows best where its person came from.
ranked as (
    select
        profile_people.person_id,
        {{ json_text('profiles.attributes', var('acquisition_attribute')) }} as acquisition_channel,
        row_number() over (
            partition by profile_people.person_id
            order by profiles.created_at nulls last, profiles.profile_key
        ) as profile_rank
    from profiles
    inner join profile_people
        on profiles.profile_key = profile_people.profile_key
    where {{ json_text('profiles.attributes', var('acquisition_attribute')) }} is not null
),

final as (
    select
        person_id,
        acquisition_channel
    from ranked
    where profile_rank = 1
)

select * from final
