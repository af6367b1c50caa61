with paid_audience_days as (
    select * from {{ ref('stg_commerce__paid_audience_days') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- A person may have been told under several identifiers.
final as (
    select
        profile_people.person_id,
        paid_audience_days.platform,
        paid_audience_days.audience,
        paid_audience_days.active_on
    from paid_audience_days
    inner join profile_people
        on paid_audience_days.profile_key = profile_people.profile_key
    group by
        profile_people.person_id,
        paid_audience_days.platform,
        paid_audience_days.audience,
        paid_audience_days.active_on
)

select * from final
