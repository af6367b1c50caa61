with audience_memberships as (
    select * from {{ ref('stg_mparticle__audience_memberships') }}
    where profile_key is not null and changed_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- The latest change counts; of two at one instant leaving does.
ranked as (
    select
        audience_memberships.audience_id,
        profile_people.person_id,
        audience_memberships.is_member,
        audience_memberships.changed_at,
        row_number() over (
            partition by audience_memberships.audience_id, profile_people.person_id
            order by audience_memberships.changed_at desc, audience_memberships.is_member asc
        ) as change_rank
    from audience_memberships
    inner join profile_people
        on audience_memberships.profile_key = profile_people.profile_key
),

-- An audience has one name, the one it was last reported under.
ranked_names as (
    select
        audience_id,
        audience_name,
        row_number() over (
            partition by audience_id
            order by changed_at desc, audience_name asc
        ) as name_rank
    from audience_memberships
    where audience_name is not null
),

final as (
    select
        ranked.audience_id,
        ranked.person_id,

        ranked_names.audience_name,

        ranked.changed_at,

        ranked.is_member
    from ranked
    left join ranked_names
        on
            ranked.audience_id = ranked_names.audience_id
            and ranked_names.name_rank = 1
    where ranked.change_rank = 1
)

select * from final
