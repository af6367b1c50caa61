with experiment_arms as (
    select * from {{ ref('int_experiment_arms') }}
    where not is_control
),

experiment_people as (
    select * from {{ ref('experiment_people') }}
),

-- Who is seen in several arms is in none. An arm that nobody is in was planned all the same.
counted as (
    select
        experiment_arms.experiment_id,
        experiment_arms.arm,
        experiment_arms.planned_share,
        count(experiment_people.person_id) as people
    from experiment_arms
    left join experiment_people
        on
            experiment_arms.experiment_id = experiment_people.experiment_id
            and experiment_arms.arm = experiment_people.arm
    group by
        experiment_arms.experiment_id,
        experiment_arms.arm,
        experiment_arms.planned_share
),

shared as (
    select
        *,
        sum(people) over (partition by experiment_id) as all_people,
        planned_share / sum(planned_share) over (partition by experiment_id) as share_of_all
    from counted
),

against_plan as (
    select
        experiment_id,
        count(*) as arms,
        count(planned_share) as planned_arms,
        {{ sum_in_order(sample_ratio_term('people', 'all_people', 'share_of_all'), 'arm') }}
            as chi_square
    from shared
    group by experiment_id
),

final as (
    select
        experiment_id,
        arms,
        chi_square,
        {{ chi_square_upper_tail('chi_square', '(arms - 1)') }} as p_value,
        planned_arms = arms as is_planned
    from against_plan
    where arms > 1
)

select * from final
