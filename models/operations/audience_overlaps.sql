with audience_members as (
    select * from {{ ref('audience_members') }}
),

sizes as (
    select
        audience,
        count(*) as people
    from audience_members
    group by audience
),

shared as (
    select
        audience_members.audience,
        other_members.audience as other_audience,
        count(*) as shared_people
    from audience_members
    inner join audience_members as other_members
        on
            audience_members.person_id = other_members.person_id
            and audience_members.audience < other_members.audience
    group by audience_members.audience, other_members.audience
),

-- Of everyone in either, how many are in both: 1 means that the two are the same people.
final as (
    select
        shared.audience,
        shared.other_audience,
        sizes.people,
        other_sizes.people as other_people,
        shared.shared_people,
        cast(shared.shared_people as double)
        / nullif(sizes.people + other_sizes.people - shared.shared_people, 0) as overlap
    from shared
    inner join sizes
        on shared.audience = sizes.audience
    inner join sizes as other_sizes
        on shared.other_audience = other_sizes.audience
)

select * from final
