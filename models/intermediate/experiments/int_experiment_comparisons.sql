-- Every arm beside its control, a row a metric: what the estimators read.
with statistics as (
    select * from {{ ref('experiment_statistics') }}
),

control_arms as (
    select
        experiment_id,
        arm
    from {{ ref('experiment_arms') }}
    where is_control
    group by experiment_id, arm
),

controls as (
    select statistics.*
    from statistics
    inner join control_arms
        on
            statistics.experiment_id = control_arms.experiment_id
            and statistics.arm = control_arms.arm
),

treatments as (
    select statistics.*
    from statistics
    left join control_arms
        on
            statistics.experiment_id = control_arms.experiment_id
            and statistics.arm = control_arms.arm
    where control_arms.arm is null
),

final as (
    select
        treatments.experiment_id,
        treatments.arm,
        controls.arm as control_arm,
        treatments.metric,
        treatments.window_hours,
        treatments.segment,
        treatments.people as n_t,
        treatments.sum_y as sum_y_t,
        treatments.sum_yy as sum_yy_t,
        treatments.sum_yyy as sum_yyy_t,
        controls.people as n_c,
        controls.sum_y as sum_y_c,
        controls.sum_yy as sum_yy_c,
        controls.sum_yyy as sum_yyy_c
    from treatments
    inner join controls
        on
            treatments.experiment_id = controls.experiment_id
            and treatments.metric = controls.metric
            and treatments.window_hours = controls.window_hours
            and treatments.segment = controls.segment
)

select * from final
