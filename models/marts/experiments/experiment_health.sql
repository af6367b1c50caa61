with experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_people as (
    select * from {{ ref('experiment_people') }}
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
ratios as (
    select
        *,
        case
            when holdout_share > 0 and holdout_share < 1 and control_people > 0
                then
                    {{ sample_ratio_term(
                        'control_people', '(control_people + treated_people)', 'holdout_share'
                    ) }}
                    + {{ sample_ratio_term(
                        'treated_people', '(control_people + treated_people)', '(1 - holdout_share)'
                    ) }}
        end as chi_square
    from counted
),

tested as (
    select
        *,
        {{ chi_square_upper_tail('chi_square', 1) }} as sample_ratio_p_value
    from ratios
),

checks as (
    select
        experiment_id,
        'random_holdout' as check_name,
        case when control_people > 0 and treated_people > 0 then 'pass' else 'fail' end as status,
        cast(control_people as double) as value,
        cast(1 as double) as threshold,
        case
            when people = 0 then 'no assignment was recorded: no random holdout, no lift'
            when control_people = 0 then 'nobody was held out: no random holdout, no lift'
            when treated_people = 0 then 'everybody was held out: nothing to compare with'
            else 'people held out'
        end as detail
    from tested

    union all

    select
        experiment_id,
        'sample_ratio' as check_name,
        case
            when chi_square is null then 'unknown'
            when sample_ratio_p_value < 0.001 then 'fail'
            else 'pass'
        end as status,
        sample_ratio_p_value as value,
        cast(0.001 as double) as threshold,
        case
            when chi_square is null then 'holdout_share is not given, so the split is not checked'
            when sample_ratio_p_value < 0.001
                then 'the arms are not as large as planned: something other than chance splits them'
            else 'p-value of the arms'' sizes'
        end as detail
    from tested

    union all

    select
        experiment_id,
        'mixed_arms' as check_name,
        case
            when people = 0 then 'unknown'
            when mixed_people > 0.1 * people then 'fail'
            when mixed_people > 0.01 * people then 'warn'
            else 'pass'
        end as status,
        cast(mixed_people as double) / nullif(people, 0) as value,
        cast(0.1 as double) as threshold,
        'share of people seen in several arms; they are in none' as detail
    from tested

    union all

    select
        experiment_id,
        'leakage' as check_name,
        case
            when control_people = 0 then 'unknown'
            when leaked_people > 0.05 * control_people then 'fail'
            when leaked_people > 0 then 'warn'
            else 'pass'
        end as status,
        cast(leaked_people as double) / nullif(control_people, 0) as value,
        cast(0.05 as double) as threshold,
        'share of held-out people a message of the experiment reached' as detail
    from tested
),

final as (
    select
        experiment_id,
        check_name,
        status,
        value,
        threshold,
        detail
    from checks
)

select * from final
