with variances as (
    select
        *,
        {{ ratio_unit_variance('n_t', 'm_t', 'mm_t', 'd_t', 'dd_t', 'md_t') }} as unit_t,
        {{ ratio_unit_variance('n_c', 'm_c', 'mm_c', 'd_c', 'dd_c', 'md_c') }} as unit_c
    from arguments
),

estimates as (
    select
        *,
        m_t / nullif(d_t, 0) as ratio_t,
        m_c / nullif(d_c, 0) as ratio_c,
        m_t / nullif(d_t, 0) - m_c / nullif(d_c, 0) as effect,
        {{ ratio_delta_standard_error('unit_t', 'n_t', 'unit_c', 'n_c') }} as standard_error
    from variances
)

select
    unit_t,
    unit_c,
    ratio_t,
    ratio_c,
    effect,
    standard_error,
    effect - {{ normal_critical_value() }} * standard_error as ci_low,
    effect + {{ normal_critical_value() }} * standard_error as ci_high,
    effect / standard_error as z,
    {{ normal_two_sided_p('(effect / standard_error)') }} as p_value
from estimates
order by i
