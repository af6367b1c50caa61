-- Who is held out of what the warehouse draws itself: experiments of the kind `warehouse` whose
-- arms name nothing to recognise them by. A pure function of the person and the experiment, so it
-- can be checked anywhere and never depends on when it is computed.
with experiments as (
    select * from {{ ref('int_experiments') }}
    where kind = 'warehouse' and holdout_share > 0 and holdout_share < 1
),

arms as (
    select * from {{ ref('experiment_arms') }}
),

people as (
    select * from {{ ref('people') }}
),

drawn_experiments as (
    select
        experiment_id,
        min(arm) filter (where is_control) as control_arm,
        count(*) filter (where not is_control) as treated_arms
    from arms
    group by experiment_id
    having
        count(*) filter (where is_control) = 1
        and count(*) filter (where not is_control) > 0
        and count(
            coalesce(
                campaign_id, parent_action_id, action_id, content_id, attribute, segment_id,
                cast(branch_index as {{ dbt.type_string() }})
            )
        ) = 0
),

treated_arms as (
    select
        experiment_id,
        arm,
        row_number() over (partition by experiment_id order by arm) - 1 as arm_number
    from arms
    where not is_control
),

bucketed as (
    select
        experiments.experiment_id,
        drawn_experiments.control_arm,
        drawn_experiments.treated_arms,
        people.person_id,
        greatest(
            experiments.starts_at, coalesce(people.created_at, people.first_seen_at)
        ) as assigned_at,
        experiments.ends_at,
        cast(round(experiments.holdout_share * 10000) as bigint) as held_out_buckets,
        {{ hash_bucket('experiments.experiment_id', 'people.person_id') }} as bucket
    from experiments
    inner join drawn_experiments
        on experiments.experiment_id = drawn_experiments.experiment_id
    cross join people
),

numbered as (
    select
        *,
        bucket < held_out_buckets as is_control,
        cast(
            floor(
                cast((bucket - held_out_buckets) * treated_arms as double)
                / nullif(10000 - held_out_buckets, 0)
            ) as bigint
        ) as arm_number
    from bucketed
    where
        assigned_at <= {{ as_of() }}
        and assigned_at < coalesce(ends_at, cast('9999-12-31' as timestamp))
),

final as (
    select
        numbered.experiment_id,
        numbered.person_id,
        case when numbered.is_control then numbered.control_arm else treated_arms.arm end as arm,
        numbered.assigned_at,
        numbered.bucket,
        numbered.is_control
    from numbered
    left join treated_arms
        on
            numbered.experiment_id = treated_arms.experiment_id
            and numbered.arm_number = treated_arms.arm_number
)

select * from final
