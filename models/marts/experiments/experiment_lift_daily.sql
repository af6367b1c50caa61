-- What the result would have said on each day, with an interval that may be looked at every day.
with experiment_arms_daily as (
    select * from {{ ref('experiment_arms_daily') }}
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
),

compared as (
    select
        treated.experiment_id,
        treated.arm,
        control.arm as control_arm,
        treated.metric,
        treated.as_of_on,
        treated.people,
        control.people as control_people,
        treated.people + control.people as both_people,
        treated.mean - control.mean as effect,
        {{ welch_standard_error(
            'treated.variance', 'treated.people', 'control.variance', 'control.people'
        ) }} as standard_error
    from experiment_arms_daily as treated
    inner join experiment_arms_daily as control
        on
            treated.experiment_id = control.experiment_id
            and treated.metric = control.metric
            and treated.as_of_on = control.as_of_on
            and control.is_control
    left join refusals
        on
            treated.experiment_id = refusals.experiment_id
            and treated.metric = refusals.metric
    where not treated.is_control and refusals.experiment_id is null
),

bounded as (
    select
        *,
        {{ always_valid_half_width('standard_error', 'both_people', var('planned_people')) }}
            as half_width
    from compared
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        as_of_on,
        people,
        control_people,
        effect,
        standard_error,
        effect - half_width as ci_low,
        effect + half_width as ci_high
    from bounded
)

select * from final
