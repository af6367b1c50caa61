with rates as (
    select
        *,
        {{ sample_mean('n_t', 'x_t') }} as rate_t,
        {{ sample_mean('n_c', 'x_c') }} as rate_c,
        {{ sample_mean('n_t', population_variance('n_t', 'x_t', 'x_t')) }} as variance_t,
        {{ sample_mean('n_c', population_variance('n_c', 'x_c', 'x_c')) }} as variance_c,
        {{ pooled_proportion_standard_error('x_t', 'n_t', 'x_c', 'n_c') }} as pooled_error
    from arguments
),

{%- set means = ('rate_t', 'variance_t', 'rate_c', 'variance_c') %}

tested as (
    select
        *,
        rate_t - rate_c as difference,
        (rate_t - rate_c) / pooled_error as z
    from rates
)

select
    difference,
    rate_t / nullif(rate_c, 0) as ratio,
    {{ wilson_low('x_t', 'n_t') }} as wilson_low,
    {{ wilson_high('x_t', 'n_t') }} as wilson_high,
    {{ wilson_low('x_c', 'n_c') }} as wilson_low_c,
    {{ wilson_high('x_c', 'n_c') }} as wilson_high_c,
    {{ newcombe_low('x_t', 'n_t', 'x_c', 'n_c') }} as low,
    {{ newcombe_high('x_t', 'n_t', 'x_c', 'n_c') }} as high,
    difference - {{ normal_critical_value() }} * sqrt(variance_t + variance_c) as wald_low,
    difference + {{ normal_critical_value() }} * sqrt(variance_t + variance_c) as wald_high,
    1 + {{ log_relative_low(*means) }} as ratio_low,
    1 + {{ log_relative_high(*means) }} as ratio_high,
    z,
    {{ normal_two_sided_p('z') }} as p_value,
    z * z as chi_square,
    {{ chi_square_upper_tail('(z * z)', '1') }} as chi_square_p
from tested order by i
