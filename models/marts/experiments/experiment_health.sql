with experiments as (
    select * from {{ ref('int_experiments') }}
),

arms as (
    select
        experiment_id,
        count(distinct arm) as arms,
        count(distinct arm) filter (where is_control) as control_arms
    from {{ ref('experiment_arms') }}
    group by experiment_id
),

experiment_people as (
    select * from {{ ref('experiment_people') }}
),

enrolment as (
    select
        experiment_id,
        least(exp(-greatest(max(log_bayes_factor), 0)), 1) as daily_p_value,
        -- Of twelve expected none comes by chance on one day in 160,000.
        count(*) filter (
            where expected_control_people >= 12 and control_people = 0
        ) as days_without_control
    from {{ ref('experiment_enrolment_daily') }}
    group by experiment_id
),

purchases as (
    select
        experiment_id,
        min(first_currency) as first_currency,
        max(last_currency) as last_currency,
        sum(orders) as orders,
        sum(costed_orders) as costed_orders
    from {{ ref('experiment_purchases') }}
    group by experiment_id
),

-- Before the index the arms must be alike; the more comparisons, the less each proves.
placebos as (
    select
        experiment_id,
        least(min(p_value) * count(p_value), 1) as placebo_p_value
    from {{ ref('int_experiment_estimates') }}
    where
        segment = 'all'
        and (
            (metric = 'pre_period_conversion_rate' and method = 'newcombe')
            or (metric = 'pre_period_revenue_per_person' and method = 'hall')
        )
    group by experiment_id
),

counted as (
    select
        experiments.experiment_id,
        experiments.holdout_share,
        count(experiment_people.person_id) as people,
        count(*) filter (where experiment_people.is_mixed) as mixed_people,
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
        ) as leaked_people
    from experiments
    left join experiment_people
        on experiments.experiment_id = experiment_people.experiment_id
    group by experiments.experiment_id, experiments.holdout_share
),

-- The split is checked on everyone due a message, mature or not.
measured as (
    select
        counted.*,
        enrolment.daily_p_value,
        enrolment.days_without_control,
        placebos.placebo_p_value,
        purchases.first_currency,
        purchases.last_currency,
        purchases.orders,
        purchases.costed_orders,
        coalesce(arms.control_arms, 0) = 0 and arms.arms > 1 as has_no_control_arm,
        cast(counted.mixed_people as double) / nullif(counted.people, 0) as mixed_share,
        case
            when purchases.costed_orders > 0
                then cast(purchases.orders - purchases.costed_orders as double) / purchases.orders
        end as uncosted_share,
        cast(counted.leaked_people as double) / nullif(counted.control_people, 0) as leaked_share,
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
    left join enrolment
        on counted.experiment_id = enrolment.experiment_id
    left join placebos
        on counted.experiment_id = placebos.experiment_id
    left join purchases
        on counted.experiment_id = purchases.experiment_id
),

tested as (
    select
        *,
        {{ chi_square_upper_tail('chi_square', 1) }} as sample_ratio_p_value
    from measured
),

checks as (
    {{ experiment_health_checks('tested') }}
),

final as (
    select
        experiment_id,
        check_name,
        status,
        value,
        threshold,
        detail,
        case when status = 'fail' then vetoes_on_failure end as vetoes
    from checks
)

select * from final
