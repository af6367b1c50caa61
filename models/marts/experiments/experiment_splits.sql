-- The split is checked on everyone due a message, mature or not.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_arms as (
    select * from {{ ref('int_experiment_arms') }}
),

experiment_people as (
    select * from {{ ref('experiment_people') }}
),

answered_ghosts as (
    select * from {{ ref('int_answered_ghosts') }}
),

arms as (
    select
        experiment_id,
        count(*) as arms,
        count(*) filter (where is_control) as control_arms
    from experiment_arms
    group by experiment_id
),

counted as (
    select
        experiments.experiment_id,
        experiments.holdout_share,
        count(experiment_people.person_id) as people,
        count(*) filter (where experiment_people.is_mixed) as mixed_people,
        count(*) filter (
            where experiment_people.is_mixed and experiment_people.is_held_out
        ) as mixed_held_out_people,
        count(*) filter (
            where not experiment_people.is_mixed and experiment_people.is_held_out
        ) as control_people,
        count(*) filter (
            where not experiment_people.is_mixed and not experiment_people.is_held_out
        ) as treated_people,
        count(*) filter (
            where not experiment_people.is_mixed
            and experiment_people.is_held_out
            and experiment_people.is_delivered
        ) as leaked_people,
        count(answered_ghosts.person_id) filter (
            where not experiment_people.is_mixed and experiment_people.is_held_out
        ) as answering_people
    from experiments
    left join experiment_people
        on experiments.experiment_id = experiment_people.experiment_id
    left join answered_ghosts
        on
            experiment_people.experiment_id = answered_ghosts.experiment_id
            and experiment_people.person_id = answered_ghosts.person_id
    group by experiments.experiment_id, experiments.holdout_share
),

measured as (
    select
        counted.*,
        coalesce(arms.control_arms = 0 and arms.arms > 1, false) as has_no_control_arm,
        coalesce(counted.holdout_share > 0 and counted.holdout_share < 1, false) as is_planned,
        case
            when
                counted.holdout_share > 0
                and counted.holdout_share < 1
                and counted.control_people > 0
                then
                    {{ sample_ratio_term(
                        'counted.control_people', '(counted.control_people + counted.treated_people)',
                        'counted.holdout_share'
                    ) }}
                    + {{ sample_ratio_term(
                        'counted.treated_people', '(counted.control_people + counted.treated_people)',
                        '(1 - counted.holdout_share)'
                    ) }}
        end as chi_square
    from counted
    left join arms
        on counted.experiment_id = arms.experiment_id
),

final as (
    select
        experiment_id,
        people,
        mixed_people,
        mixed_held_out_people,
        control_people,
        treated_people,
        leaked_people,
        answering_people,
        chi_square,
        {{ chi_square_upper_tail('chi_square', 1) }} as sample_ratio_p_value,
        has_no_control_arm,
        is_planned
    from measured
)

select * from final
