-- One row an estimate, before anything is said about whether it may be believed.
with comparisons as (
    select * from {{ ref('int_experiment_comparisons') }}
),

{{ welch_results('welch', 'comparisons') }},

skewed as (
    select
        *,
        {{ hall_kappa(
            third_central_moment('n_t', 'sum_y_t', 'sum_yy_t', 'sum_yyy_t'), 'n_t',
            third_central_moment('n_c', 'sum_y_c', 'sum_yy_c', 'sum_yyy_c'), 'n_c',
            'standard_error'
        ) }} as kappa,
        {{ pooled_proportion_standard_error('sum_y_t', 'n_t', 'sum_y_c', 'n_c') }}
            as pooled_standard_error
    from welch
),

corrected as (
    select
        *,
        {{ hall_low('effect', 'standard_error', 'kappa') }} as hall_ci_low,
        {{ hall_high('effect', 'standard_error', 'kappa') }} as hall_ci_high,
        {{ hall_statistic('effect', 'standard_error', 'kappa') }} as hall_statistic,
        effect / nullif(pooled_standard_error, 0) as pooled_statistic
    from skewed
),

estimates as (
    {{ experiment_estimate('welch', 'ci_low', 'ci_high', 'p_value') }}
    from corrected

    union all

    -- Few people held out and a few large orders: Welch then says "helps" far too often.
    {{ experiment_estimate(
        'hall', 'hall_ci_low', 'hall_ci_high', normal_two_sided_p('hall_statistic')
    ) }}
    from corrected
    where metric <> 'conversion_rate'

    union all

    {{ experiment_estimate(
        'newcombe',
        newcombe_low('sum_y_t', 'n_t', 'sum_y_c', 'n_c'),
        newcombe_high('sum_y_t', 'n_t', 'sum_y_c', 'n_c'),
        normal_two_sided_p('pooled_statistic')
    ) }}
    from corrected
    where metric = 'conversion_rate'
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        segment,
        method,
        people,
        control_people,
        mean,
        control_mean,
        effect,
        standard_error,
        ci_low,
        ci_high,
        p_value,
        relative_effect,
        relative_ci_low,
        relative_ci_high
    from estimates
)

select * from final
