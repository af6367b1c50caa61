{#- Variance, per person, of a ratio of sums (average order value: revenue over orders) by the delta
    method. n counts people, not orders: people are what was randomised. -#}
{%- macro ratio_unit_variance(n, sum_m, sum_mm, sum_d, sum_dd, sum_md) -%}
    {%- set ratio = '(cast(' ~ sum_m ~ ' as double)/nullif(cast(' ~ sum_d ~ ' as double),0e0))' -%}
    {%- set spread = '(' ~ sample_variance(n, sum_m, sum_mm)
        ~ '-2e0*' ~ ratio ~ '*' ~ sample_covariance(n, sum_m, sum_d, sum_md)
        ~ '+' ~ ratio ~ '*' ~ ratio ~ '*' ~ sample_variance(n, sum_d, sum_dd) ~ ')' -%}
    ({{ not_negative(spread) }}/nullif(power({{ sample_mean(n, sum_d) }},2e0),0e0))
{%- endmacro -%}


{%- macro ratio_delta_standard_error(unit_variance_t, n_t, unit_variance_c, n_c) -%}
    {{ welch_standard_error(unit_variance_t, n_t, unit_variance_c, n_c) }}
{%- endmacro -%}
