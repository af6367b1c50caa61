-- How the arms fill, and how strongly their sizes so far speak against the planned split.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where not is_mixed
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

daily as (
    select
        experiment_people.experiment_id,
        experiments.holdout_share,
        {{ local_date('experiment_people.index_at') }} as enrolled_on,
        count(*) filter (where experiment_people.is_held_out) as control_people,
        count(*) filter (where not experiment_people.is_held_out) as treated_people
    from experiment_people
    inner join experiments
        on experiment_people.experiment_id = experiments.experiment_id
    group by
        experiment_people.experiment_id,
        experiments.holdout_share,
        {{ local_date('experiment_people.index_at') }}
),

cumulative as (
    select
        *,
        sum(control_people) over (
            partition by experiment_id order by enrolled_on
            rows between unbounded preceding and current row
        ) as control_people_so_far,
        sum(treated_people) over (
            partition by experiment_id order by enrolled_on
            rows between unbounded preceding and current row
        ) as treated_people_so_far
    from daily
),

arms as (
    select
        experiment_id,
        enrolled_on,
        control_people_so_far as people,
        holdout_share as planned_share
    from cumulative
    where holdout_share > 0 and holdout_share < 1

    union all

    select
        experiment_id,
        enrolled_on,
        treated_people_so_far as people,
        1 - holdout_share as planned_share
    from cumulative
    where holdout_share > 0 and holdout_share < 1
),

factors as (
    select
        experiment_id,
        enrolled_on,
        {{ sequential_sample_ratio_log_factor('people', 'planned_share') }} as log_bayes_factor
    from arms
    group by experiment_id, enrolled_on
),

final as (
    select
        cumulative.experiment_id,
        cumulative.enrolled_on,
        cumulative.control_people,
        cumulative.treated_people,
        cast(cumulative.control_people_so_far as bigint) as control_people_so_far,
        cast(cumulative.treated_people_so_far as bigint) as treated_people_so_far,
        cumulative.treated_people * cumulative.holdout_share
        / nullif(1 - cumulative.holdout_share, 0) as expected_control_people,
        factors.log_bayes_factor
    from cumulative
    left join factors
        on
            cumulative.experiment_id = factors.experiment_id
            and cumulative.enrolled_on = factors.enrolled_on
)

select * from final
