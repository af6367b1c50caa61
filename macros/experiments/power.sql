{#- z for a two-sided test at 5 % plus z for the power: what an effect must be in standard errors. -#}
{%- macro planned_errors(power) -%}
    ({{ double_literal(normal_critical_value()) }}+{{ normal_quantile(double_literal(power)) }})
{%- endmacro -%}


{#- The smallest difference of two means that is found as often as `power` says. -#}
{%- macro minimum_detectable_effect(deviation, n_c, n_t, power) -%}
    ({{ planned_errors(power) }}*{{ planned_error_of_means(deviation, n_c, n_t) }})
{%- endmacro -%}


{#- People in the control arm to find a difference of two rates; `ratio` is how many are treated for
    one held out. -#}
{%- macro people_for_rates(rate_c, rate_t, ratio, power) -%}
    (power({{ planned_errors(power) }},2e0)*(({{ rate_c }})*(1e0-({{ rate_c }}))
    +({{ rate_t }})*(1e0-({{ rate_t }}))/nullif({{ ratio }},0e0))
    /nullif(power(({{ rate_t }})-({{ rate_c }}),2e0),0e0))
{%- endmacro -%}


{#- The same for a difference of means. -#}
{%- macro people_for_means(deviation, difference, ratio, power) -%}
    (power({{ planned_errors(power) }}*({{ deviation }}),2e0)*(1e0+1e0/nullif({{ ratio }},0e0))
    /nullif(power({{ difference }},2e0),0e0))
{%- endmacro -%}


{#- How often an effect of this size is found, on the side of 0 that it is on: `planned_errors` turned
    around, so that with the people it takes it is found as often as planned. -#}
{%- macro chance_to_find(effect, standard_error) -%}
    {{ normal_cdf(
        '((' ~ effect ~ ')/nullif(' ~ standard_error ~ ',0e0)-' ~ normal_critical_value() ~ ')'
    ) }}
{%- endmacro -%}


{#- Standard error of a difference of two rates that are planned to be these. -#}
{%- macro planned_error_of_rates(rate_c, rate_t, n_c, n_t) -%}
    sqrt(greatest(0e0,({{ rate_c }})*(1e0-({{ rate_c }}))/nullif(cast({{ n_c }} as double),0e0)
    +({{ rate_t }})*(1e0-({{ rate_t }}))/nullif(cast({{ n_t }} as double),0e0)))
{%- endmacro -%}


{#- The same of two means of people who deviate as much in both arms. -#}
{%- macro planned_error_of_means(deviation, n_c, n_t) -%}
    (({{ deviation }})*sqrt(
    1e0/nullif(cast({{ n_c }} as double),0e0)+1e0/nullif(cast({{ n_t }} as double),0e0)))
{%- endmacro -%}
