{{ config(materialized='view') }}

with recorded as (
    select * from {{ ref('stg_experiments__assignments') }}
    where assigned_at is null or assigned_at <= {{ as_of() }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where first_event_at <= {{ as_of() }}
),

branch_arms as (
    select * from {{ ref('int_branch_arms') }}
    where assigned_at <= {{ as_of() }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

-- What the company recorded beats the paths its journeys took, and these beat what its messages
-- show: each says who was due as well.
recorded_experiments as (
    select experiment_id
    from recorded
    group by experiment_id
),

branched_experiments as (
    select experiment_id
    from branch_arms
    group by experiment_id
),

final as (
    select
        recorded.experiment_id,
        recorded.profile_key,
        recorded.arm,
        greatest(coalesce(recorded.assigned_at, experiments.starts_at), experiments.starts_at)
            as assigned_at,
        'recorded' as evidence
    from recorded
    inner join experiments
        on recorded.experiment_id = experiments.experiment_id
    -- Who was put in an arm after the end was never part of the experiment.
    where
        coalesce(recorded.assigned_at, experiments.starts_at)
        < coalesce(experiments.ends_at, cast('9999-12-31' as timestamp))

    union all

    select
        branch_arms.experiment_id,
        branch_arms.profile_key,
        branch_arms.arm,
        branch_arms.assigned_at,
        'branch' as evidence
    from branch_arms
    left join recorded_experiments
        on branch_arms.experiment_id = recorded_experiments.experiment_id
    where recorded_experiments.experiment_id is null

    union all

    select
        delivery_arms.experiment_id,
        delivery_arms.profile_key,
        delivery_arms.arm,
        delivery_arms.first_event_at as assigned_at,
        'delivery' as evidence
    from delivery_arms
    left join recorded_experiments
        on delivery_arms.experiment_id = recorded_experiments.experiment_id
    left join branched_experiments
        on delivery_arms.experiment_id = branched_experiments.experiment_id
    where
        recorded_experiments.experiment_id is null
        and branched_experiments.experiment_id is null
)

select * from final
