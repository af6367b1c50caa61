with splits as (
    select * from {{ ref('experiment_splits') }}
),

arm_recognition as (
    select * from {{ ref('int_arm_recognition') }}
),

arm_ratios as (
    select * from {{ ref('experiment_arm_ratios') }}
),

enrolment as (
    select
        experiment_id,
        {{ sequential_sample_ratio_p('max(log_bayes_factor)') }} as daily_p_value,
        -- Of twelve expected none comes by chance on one day in 160,000.
        case
            when count(expected_control_people) > 0
                then count(*) filter (
                    where expected_control_people >= 12 and control_people = 0
                )
        end as days_without_control
    from {{ ref('experiment_enrolment_daily') }}
    group by experiment_id
),

arm_enrolment as (
    select
        experiment_id,
        {{ sequential_sample_ratio_p('max(log_bayes_factor)') }} as arm_daily_p_value
    from {{ ref('experiment_arm_ratios_daily') }}
    group by experiment_id
),

ranked_segments as (
    select
        experiment_id,
        segment,
        p_value,
        row_number() over (
            partition by experiment_id order by p_value nulls last, segment
        ) as segment_rank,
        count(p_value) over (partition by experiment_id) as segments
    from {{ ref('experiment_segment_ratios') }}
),

-- The more segments, the less the smallest of their p-values proves (Bonferroni).
segments as (
    select
        experiment_id,
        segment as worst_segment,
        least(p_value * segments, 1) as segment_p_value
    from ranked_segments
    where segment_rank = 1 and p_value is not null
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
        case
            when count(p_value) > 0 then least(min(p_value) * count(p_value), 1)
        end as placebo_p_value
    from {{ ref('int_experiment_estimates') }}
    where
        segment = 'all'
        and (
            (metric = 'pre_period_conversion_rate' and method = 'newcombe')
            or (metric = 'pre_period_revenue_per_person' and method = 'hall')
        )
    group by experiment_id
),

measured as (
    select
        splits.*,
        arm_recognition.empty_arms,
        arm_recognition.problem as arm_problem,
        arm_ratios.arms as treated_arms,
        arm_ratios.is_planned as has_planned_arms,
        arm_ratios.p_value as arm_ratio_p_value,
        arm_enrolment.arm_daily_p_value,
        segments.worst_segment,
        segments.segment_p_value,
        enrolment.daily_p_value,
        enrolment.days_without_control,
        placebos.placebo_p_value,
        purchases.first_currency,
        purchases.last_currency,
        purchases.orders,
        purchases.costed_orders,
        cast(splits.mixed_people as double) / nullif(splits.people, 0) as mixed_share,
        -- Few among everybody may be many of a small holdout. Two people who turn out to be one
        -- were mostly drawn apart if one of them was held out, and seldom otherwise.
        cast(splits.mixed_held_out_people as double)
        / nullif(splits.control_people + splits.mixed_held_out_people, 0)
            as mixed_held_out_share,
        case
            when purchases.costed_orders > 0
                then cast(purchases.orders - purchases.costed_orders as double) / purchases.orders
        end as uncosted_share,
        cast(splits.leaked_people as double) / nullif(splits.control_people, 0) as leaked_share,
        cast(splits.answering_people as double) / nullif(splits.control_people, 0)
            as answering_share
    from splits
    left join arm_recognition
        on splits.experiment_id = arm_recognition.experiment_id
    left join arm_ratios
        on splits.experiment_id = arm_ratios.experiment_id
    left join arm_enrolment
        on splits.experiment_id = arm_enrolment.experiment_id
    left join segments
        on splits.experiment_id = segments.experiment_id
    left join enrolment
        on splits.experiment_id = enrolment.experiment_id
    left join placebos
        on splits.experiment_id = placebos.experiment_id
    left join purchases
        on splits.experiment_id = purchases.experiment_id
),

checks as (
    {{ experiment_health_checks('measured') }}
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
