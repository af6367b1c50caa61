-- Which arm of which experiment a person was drawn into, by the path of a random cohort branch that
-- their journey took: the only record of a path on which nothing is sent.
with outputs as (
    select * from {{ ref('stg_customerio__export_outputs') }}
    where branch_index is not null
),

subjects as (
    select * from {{ ref('stg_customerio__export_subjects') }}
),

arms as (
    select * from {{ ref('experiment_arms') }}
    where branch_index is not null and action_id is not null
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

final as (
    select
        outputs.output_id,
        arms.experiment_id,
        arms.arm,
        subjects.profile_key,
        outputs.created_at as assigned_at,
        arms.is_control
    from outputs
    inner join subjects
        on outputs.subject_name = subjects.subject_name
    inner join arms
        on
            outputs.action_id = arms.action_id
            and outputs.branch_index = arms.branch_index
            and (arms.campaign_id is null or subjects.campaign_id = arms.campaign_id)
    inner join experiments
        on arms.experiment_id = experiments.experiment_id
    where
        subjects.profile_key is not null
        and outputs.created_at >= experiments.starts_at
        and outputs.created_at < coalesce(experiments.ends_at, cast('9999-12-31' as timestamp))
)

select * from final
