with arms as (
    select
        *,
        {%- for arm in ['_t', '_c'] %}
        {{ sample_mean('n' ~ arm, 'sum_y' ~ arm) }} as mean{{ arm }},
        {{ sample_variance('n' ~ arm, 'sum_y' ~ arm, 'sum_yy' ~ arm) }} as variance{{ arm }},
        {{ third_central_moment('n' ~ arm, 'sum_y' ~ arm, 'sum_yy' ~ arm, 'sum_yyy' ~ arm) }}
            as third{{ arm }}{{ ',' if not loop.last }}
        {%- endfor %}
    from arguments
),

errors as (
    select
        *,
        mean_t - mean_c as effect,
        {{ welch_standard_error('variance_t', 'n_t', 'variance_c', 'n_c') }} as standard_error
    from arms
),

skewed as (
    select
        *,
        {{ hall_kappa('third_t', 'n_t', 'third_c', 'n_c', 'standard_error') }} as kappa
    from errors
)

select
    third_t,
    third_c,
    effect,
    standard_error,
    effect / standard_error as t_statistic,
    kappa,
    {{ hall_statistic('effect', 'standard_error', 'kappa') }} as statistic,
    {{ hall_p('effect', 'standard_error', 'kappa') }} as p_value,
    {{ hall_low('effect', 'standard_error', 'kappa') }} as ci_low,
    {{ hall_high('effect', 'standard_error', 'kappa') }} as ci_high
from skewed
order by i
