with experiment_arms as (
    select * from {{ ref('experiment_arms') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

-- An arm that is recognised in several ways has a row each: of two shares neither is its.
arms as (
    select
        experiment_id,
        arm,
        is_control,
        case
            when min(planned_share) = max(planned_share) and min(planned_share) > 0
                then min(planned_share)
        end as planned_share,
        count(
            coalesce(
                campaign_id, parent_action_id, action_id, content_id, attribute, segment_id,
                cast(branch_index as {{ dbt.type_string() }})
            )
        ) as recognised_by
    from experiment_arms
    group by experiment_id, arm, is_control
),

splits as (
    select
        experiment_id,
        count(*) filter (where is_control) as control_arms,
        count(*) filter (where not is_control) as treated_arms,
        count(planned_share) filter (where not is_control) as planned_arms,
        sum(recognised_by) as recognised_by
    from arms
    group by experiment_id
),

-- What names nothing to be recognised by is drawn here, in equal parts unless others are planned.
described as (
    select
        arms.experiment_id,
        arms.arm,
        arms.planned_share,
        experiments.holdout_share,
        splits.treated_arms,
        splits.planned_arms,
        arms.is_control,
        coalesce(
            experiments.kind = 'warehouse'
            and experiments.holdout_share > 0
            and experiments.holdout_share < 1
            and splits.control_arms = 1
            and splits.treated_arms > 0
            and splits.recognised_by = 0,
            false
        ) as is_drawn
    from arms
    inner join splits
        on arms.experiment_id = splits.experiment_id
    left join experiments
        on arms.experiment_id = experiments.experiment_id
),

final as (
    select
        experiment_id,
        arm,
        case
            when is_control then holdout_share
            when planned_arms = treated_arms then planned_share
            when is_drawn then (1 - holdout_share) / nullif(treated_arms, 0)
        end as planned_share,
        is_control,
        is_drawn
    from described
)

select * from final
