with segment_members as (
    select * from {{ ref('int_segment_members') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

final as (
    select
        segment_members.segment_id,
        profile_people.person_id,

        max(segment_members.segment_name) as segment_name,

        max(segment_members.observed_at) as observed_at
    from segment_members
    inner join profile_people
        on segment_members.profile_key = profile_people.profile_key
    group by segment_members.segment_id, profile_people.person_id
)

select * from final
