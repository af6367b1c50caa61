-- Who is held out of what the warehouse draws itself: experiments of the kind `warehouse` whose
-- arms name nothing to recognise them by. A draw is a pure function of the experiment and of who
-- the person was when they were first seen, so it can be checked anywhere. Once a published build
-- drew somebody, that stands: what they were sent since rests on it.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

draw_ranges as (
    select * from {{ ref('int_draw_ranges') }}
),

people as (
    select * from {{ ref('people') }}
),

first_profiles as (
    select * from {{ ref('int_first_profiles') }}
),

earlier_draws as (
    select * from {{ ref('int_earlier_draws') }}
),

-- A profile that a merge alone tells of was never seen.
drawn_people as (
    select
        experiments.experiment_id,
        people.person_id,
        coalesce(
            earlier_draws.first_person_id, first_profiles.first_person_id, people.person_id
        ) as drawn_as,
        earlier_draws.arm as earlier_arm,
        coalesce(people.created_at, people.first_seen_at) as known_at,
        experiments.starts_at,
        experiments.ends_at
    from experiments
    inner join draw_ranges
        on experiments.experiment_id = draw_ranges.experiment_id and draw_ranges.is_control
    cross join people
    left join first_profiles
        on people.person_id = first_profiles.person_id
    left join earlier_draws
        on
            experiments.experiment_id = earlier_draws.experiment_id
            and people.person_id = earlier_draws.person_id
),

bucketed as (
    select
        *,
        greatest(starts_at, known_at) as assigned_at,
        {{ hash_bucket('experiment_id', 'drawn_as') }} as bucket
    from drawn_people
),

final as (
    select
        bucketed.experiment_id,
        bucketed.person_id,
        bucketed.drawn_as,
        draw_ranges.arm,
        bucketed.known_at,
        bucketed.assigned_at,
        bucketed.bucket,
        draw_ranges.is_control,
        bucketed.earlier_arm is not null as is_drawn_earlier
    from bucketed
    inner join draw_ranges
        on
            bucketed.experiment_id = draw_ranges.experiment_id
            and (
                bucketed.earlier_arm = draw_ranges.arm
                or (
                    bucketed.earlier_arm is null
                    and bucketed.bucket >= draw_ranges.first_bucket
                    and bucketed.bucket < draw_ranges.end_bucket
                )
            )
    where
        bucketed.known_at <= {{ as_of() }}
        and bucketed.starts_at <= {{ add_hours(as_of(), var('holdouts_told_ahead_hours')) }}
        and bucketed.assigned_at < coalesce(
            bucketed.ends_at, cast('9999-12-31' as timestamp)
        )
)

select * from final
