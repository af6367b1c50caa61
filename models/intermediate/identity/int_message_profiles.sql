-- Events are many and profiles few: whose they are is asked once for each profile.
-- All of history: whose the events of a profile are changes by a merge, without an event.
with message_events as (
    select
        profile_key,
        count(*) as events
    from {{ ref('int_message_events') }}
    group by profile_key
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

profiles as (
    select profile_key from {{ ref('stg_people__people') }}
    union distinct
    select profile_key from {{ ref('stg_customerio__api_people') }}
),

profiled_people as (
    select profile_people.person_id
    from profile_people
    inner join profiles
        on profile_people.profile_key = profiles.profile_key
    group by profile_people.person_id
),

final as (
    select
        message_events.profile_key,
        profile_people.person_id,
        cast(message_events.events as bigint) as events,
        -- Where nobody's profile is loaded, nobody lacks one.
        case
            when profile_people.person_id is not null and exists (select 1 from profiles)
                then profiled_people.person_id is not null
        end as has_profile
    from message_events
    left join profile_people
        on message_events.profile_key = profile_people.profile_key
    left join profiled_people
        on profile_people.person_id = profiled_people.person_id
)

select * from final
