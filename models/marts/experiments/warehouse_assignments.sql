-- Who is held out of what the warehouse draws itself: experiments of the kind `warehouse` whose
-- arms name nothing to recognise them by. A pure function of the experiment and of who the person
-- was when they were first seen, so it can be checked anywhere, never depends on when it is
-- computed, and stays when somebody becomes known by a better identifier.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

arms as (
    select * from {{ ref('int_experiment_arms') }}
    where is_drawn
),

people as (
    select * from {{ ref('people') }}
),

first_profiles as (
    select * from {{ ref('int_first_profiles') }}
),

-- A profile that a merge alone tells of was never seen.
drawn_people as (
    select
        people.person_id,
        coalesce(first_profiles.first_person_id, people.person_id) as drawn_as,
        coalesce(people.created_at, people.first_seen_at) as known_at
    from people
    left join first_profiles
        on people.person_id = first_profiles.person_id
),

-- The lowest buckets are held out; the others go to the other arms by name, as large as planned.
shared as (
    select
        arms.experiment_id,
        arms.arm,
        arms.is_control,
        cast(round(experiments.holdout_share * 10000) as bigint) as held_out_buckets,
        sum(case when arms.is_control then 0 else arms.planned_share end) over (
            partition by arms.experiment_id order by arms.is_control desc, arms.arm asc
            rows between unbounded preceding and current row
        ) as share_so_far,
        sum(case when arms.is_control then 0 else arms.planned_share end) over (
            partition by arms.experiment_id
        ) as share_of_all
    from arms
    inner join experiments
        on arms.experiment_id = experiments.experiment_id
),

-- A hundred-thousandth of a bucket is no bucket: sums of shares are not exact.
bounded as (
    select
        *,
        held_out_buckets + cast(
            ceil((10000 - held_out_buckets) * share_so_far / nullif(share_of_all, 0) - 1e-5)
            as bigint
        ) as end_bucket
    from shared
),

ranged as (
    select
        *,
        coalesce(
            lag(end_bucket) over (partition by experiment_id order by is_control desc, arm asc), 0
        ) as first_bucket
    from bounded
),

bucketed as (
    select
        experiments.experiment_id,
        drawn_people.person_id,
        drawn_people.drawn_as,
        greatest(experiments.starts_at, drawn_people.known_at) as assigned_at,
        experiments.ends_at,
        {{ hash_bucket('experiments.experiment_id', 'drawn_people.drawn_as') }} as bucket
    from experiments
    inner join arms
        on experiments.experiment_id = arms.experiment_id and arms.is_control
    cross join drawn_people
),

final as (
    select
        bucketed.experiment_id,
        bucketed.person_id,
        bucketed.drawn_as,
        ranged.arm,
        bucketed.assigned_at,
        bucketed.bucket,
        ranged.is_control
    from bucketed
    inner join ranged
        on
            bucketed.experiment_id = ranged.experiment_id
            and bucketed.bucket >= ranged.first_bucket
            and bucketed.bucket < ranged.end_bucket
    where
        bucketed.assigned_at <= {{ as_of() }}
        and bucketed.assigned_at < coalesce(
            bucketed.ends_at, cast('9999-12-31' as timestamp)
        )
)

select * from final
