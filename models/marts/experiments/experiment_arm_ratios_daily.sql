-- Whether the arms that are sent something fill beside each other as planned, looked at every day.
with experiment_arms as (
    select * from {{ ref('int_experiment_arms') }}
    where not is_control
),

-- Who is seen in several arms is in none.
experiment_people as (
    select * from {{ ref('experiment_people') }}
    where arm is not null
),

shares as (
    select
        experiment_id,
        arm,
        planned_share / sum(planned_share) over (partition by experiment_id) as share_of_all,
        count(*) over (partition by experiment_id) as arms,
        count(planned_share) over (partition by experiment_id) as planned_arms
    from experiment_arms
),

enrolled as (
    select
        shares.experiment_id,
        shares.arm,
        {{ local_date('experiment_people.index_at') }} as enrolled_on,
        count(*) as people
    from experiment_people
    inner join shares
        on
            experiment_people.experiment_id = shares.experiment_id
            and experiment_people.arm = shares.arm
    group by
        shares.experiment_id,
        shares.arm,
        {{ local_date('experiment_people.index_at') }}
),

days as (
    select
        experiment_id,
        enrolled_on
    from enrolled
    group by experiment_id, enrolled_on
),

-- An arm that nobody came into on a day, or ever, was planned all the same.
filled as (
    select
        days.experiment_id,
        days.enrolled_on,
        shares.arm,
        shares.share_of_all,
        shares.arms,
        shares.planned_arms,
        coalesce(enrolled.people, 0) as people,
        sum(coalesce(enrolled.people, 0)) over (
            partition by days.experiment_id, shares.arm order by days.enrolled_on
            rows between unbounded preceding and current row
        ) as people_so_far
    from days
    inner join shares
        on days.experiment_id = shares.experiment_id
    left join enrolled
        on
            days.experiment_id = enrolled.experiment_id
            and days.enrolled_on = enrolled.enrolled_on
            and shares.arm = enrolled.arm
    where shares.arms > 1
),

final as (
    select
        experiment_id,
        enrolled_on,
        arms,
        cast(sum(people) as bigint) as people,
        cast(sum(people_so_far) as bigint) as people_so_far,
        -- Six digits are the same in whatever order the arms are added up.
        case
            when planned_arms = arms
                then round(
                    {{ sequential_sample_ratio_log_factor('people_so_far', 'share_of_all') }}, 6
                )
        end as log_bayes_factor,
        planned_arms = arms as is_planned
    from filled
    group by experiment_id, enrolled_on, arms, planned_arms
)

select * from final
