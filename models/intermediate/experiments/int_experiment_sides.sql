-- All who are held out are one side, and each arm that is sent something is one. Of one such arm
-- the share follows from the holdout's.
with experiment_arms as (
    select * from {{ ref('int_experiment_arms') }}
),

planned as (
    select
        experiment_id,
        count(*) filter (where is_control) as control_arms,
        max(planned_share) filter (where is_control) as holdout_share,
        count(*) filter (where not is_control) as treated_arms,
        {{ sum_in_order('case when not is_control then planned_share end', 'arm') }}
            as treated_share
    from experiment_arms
    group by experiment_id
),

sides as (
    select
        experiment_id,
        '' as side,
        holdout_share as share
    from planned
    where control_arms > 0

    union all

    select
        planned.experiment_id,
        experiment_arms.arm as side,
        case when planned.control_arms > 0 then 1 - planned.holdout_share else 1 end
        * case
            when planned.treated_arms = 1 then 1
            else experiment_arms.planned_share / nullif(planned.treated_share, 0)
        end as share
    from planned
    inner join experiment_arms
        on planned.experiment_id = experiment_arms.experiment_id
    where not experiment_arms.is_control
),

compared as (
    select experiment_id
    from sides
    group by experiment_id
    having count(*) > 1 and count(share) = count(*) and min(share) > 0
),

final as (
    select
        sides.experiment_id,
        sides.side,
        sides.share,
        min(sides.share) over (partition by sides.experiment_id) as smallest_share,
        count(*) over (partition by sides.experiment_id) as sides
    from sides
    inner join compared
        on sides.experiment_id = compared.experiment_id
)

select * from final
