-- What published builds observed, and what this one sees: the two never tell the same change twice.
with stg_audiences__observations as (
    select * from {{ ref('stg_audiences__observations') }}
    where observed_at < {{ as_of() }}
),

audience_changes as (
    select * from {{ ref('audience_changes') }}
),

changes as (
    select
        audience,
        person_id,
        build_id,
        version,
        change,
        observed_at
    from stg_audiences__observations

    union all

    select
        audience,
        person_id,
        build_id,
        version,
        change,
        observed_at
    from audience_changes
),

followed as (
    select
        *,
        lead(observed_at) over (partition by audience, person_id order by observed_at)
            as left_at,
        lead(build_id) over (partition by audience, person_id order by observed_at) as left_build,
        lead(version) over (partition by audience, person_id order by observed_at)
            as left_version
    from changes
),

final as (
    select
        audience,
        person_id,
        build_id as entered_build,
        left_build,
        version,
        left_version,
        observed_at as entered_at,
        left_at,
        left_at is null as is_member
    from followed
    where change = 'entered'
)

select * from final
