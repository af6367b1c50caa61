with segment_readings as (
    select * from {{ ref('int_segment_readings') }}
),

segment_memberships as (
    select * from {{ ref('stg_customerio__segment_memberships') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- Two profiles of one person are one member.
seen as (
    select
        segment_readings.segment_id,
        profile_people.person_id,
        segment_readings.reading_number,
        segment_readings.observed_at,
        segment_readings.next_observed_at
    from segment_memberships
    inner join segment_readings
        on
            segment_memberships.segment_id = segment_readings.segment_id
            and segment_memberships.observed_at = segment_readings.observed_at
    inner join profile_people
        on segment_memberships.profile_key = profile_people.profile_key
    group by
        segment_readings.segment_id,
        profile_people.person_id,
        segment_readings.reading_number,
        segment_readings.observed_at,
        segment_readings.next_observed_at
),

-- Readings that follow one another keep their distance from how many of them saw somebody.
numbered as (
    select
        *,
        reading_number - row_number() over (
            partition by segment_id, person_id order by reading_number
        ) as stay_number
    from seen
),

final as (
    select
        segment_id,
        person_id,
        min(observed_at) as seen_from_at,
        case
            when count(next_observed_at) = count(*) then max(next_observed_at)
        end as seen_until_at
    from numbered
    group by segment_id, person_id, stay_number
)

select * from final
