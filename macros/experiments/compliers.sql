{#- Complier average causal effect, Wald's estimator: the effect of assignment over the difference
    it made to delivery. Deliveries, never opens: a subject line works unopened. -#}
{%- macro cace(effect_y, effect_d) -%}
    (({{ effect_y }})/nullif({{ effect_d }},0e0))
{%- endmacro -%}


{#- `variance_y`, `variance_d` and `covariance_yd` are of the two differences of means: sums over
    both arms of the population moment over n. With population moments this is the robust standard
    error of two-stage least squares. -#}
{%- macro cace_standard_error(effect_y, effect_d, variance_y, variance_d, covariance_yd) -%}
    nullif(sqrt(greatest(0e0,({{ variance_y }})/nullif(power({{ effect_d }},2e0),0e0)
    +power({{ effect_y }},2e0)*({{ variance_d }})/nullif(power({{ effect_d }},4e0),0e0)
    -2e0*({{ effect_y }})*({{ covariance_yd }})/nullif(power({{ effect_d }},3e0),0e0))),0e0)
{%- endmacro -%}


{#- Dividing by a difference that is hardly there means nothing: under 10 standard errors, no. -#}
{%- macro cace_is_strong(effect_d, variance_d) -%}
    (({{ effect_d }}) > 0e0 and ({{ effect_d }}) >= 10e0*sqrt({{ not_negative(variance_d) }}))
{%- endmacro -%}
