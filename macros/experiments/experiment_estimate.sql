{#- The select list of one estimate over the CTEs of `welch_results`, without its `from`. -#}
{%- macro experiment_estimate(method, ci_low, ci_high, p_value) -%}
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        segment,
        '{{ method }}' as method,
        n_t as people,
        n_c as control_people,
        mean_t as mean,
        mean_c as control_mean,
        effect,
        standard_error,
        {{ ci_low }} as ci_low,
        {{ ci_high }} as ci_high,
        {{ p_value }} as p_value,
        relative_effect,
        relative_ci_low,
        relative_ci_high
{%- endmacro -%}
