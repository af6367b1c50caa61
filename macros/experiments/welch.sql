{#- Null when neither arm varies: then there is no test, and no interval that could be believed. -#}
{%- macro welch_standard_error(variance_t, n_t, variance_c, n_c) -%}
    nullif(sqrt(({{ variance_t }})/nullif(cast({{ n_t }} as double),0e0)
    +({{ variance_c }})/nullif(cast({{ n_c }} as double),0e0)),0e0)
{%- endmacro -%}


{#- Welch and Satterthwaite. Never below 1 when both arms have at least two people. -#}
{%- macro welch_degrees_of_freedom(variance_t, n_t, variance_c, n_c) -%}
    {%- set a = '((' ~ variance_t ~ ')/nullif(cast(' ~ n_t ~ ' as double),0e0))' -%}
    {%- set b = '((' ~ variance_c ~ ')/nullif(cast(' ~ n_c ~ ' as double),0e0))' -%}
    (power({{ a }}+{{ b }},2e0)/nullif(
    {{ a }}*{{ a }}/nullif(cast({{ n_t }} as double)-1e0,0e0)
    +{{ b }}*{{ b }}/nullif(cast({{ n_c }} as double)-1e0,0e0),0e0))
{%- endmacro -%}


{#-
    CTEs that test an effect against its standard error, the last one called `name`. Rows whose
    degrees of freedom are null are tested against the normal distribution, so one chain serves
    Welch and CUPED beside delta-method ratios and CACE. Adds t_statistic, p_value, ci_low and
    ci_high.
-#}
{%- macro t_inference(
    name, relation, effect='effect', standard_error='standard_error',
    degrees_of_freedom='degrees_of_freedom', level=0.95
) -%}
{{ name }}_statistics as (
    select
        *,
        cast({{ effect }} as double)/nullif(cast({{ standard_error }} as double),0e0)
            as t_statistic,
        -- The t distribution with 1e15 degrees of freedom is the normal one in double precision.
        case
            when {{ degrees_of_freedom }} is null then 1e15
            when {{ degrees_of_freedom }} >= 1 then cast({{ degrees_of_freedom }} as double)
        end as t_df,
        {{ normal_critical_value(level) }} as t_z
    from {{ relation }}
),

{{ student_t_critical_ctes(name ~ '_critical', name ~ '_statistics') }},

{{ name }}_scores as (
    select
        *,
        {{ student_t_score('t_statistic', 't_df') }} as t_score
    from {{ name }}_critical
),

{{ student_t_tail_ctes(name ~ '_tails', name ~ '_scores', 'p_value') }},

{{ name }} as (
    select
        *,
        cast({{ effect }} as double)
            - t_critical*nullif(cast({{ standard_error }} as double),0e0) as ci_low,
        cast({{ effect }} as double)
            + t_critical*nullif(cast({{ standard_error }} as double),0e0) as ci_high
    from {{ name }}_tails
)
{%- endmacro -%}


{#-
    CTEs that compare the means of two arms from their sums, the last one called `name`. `relation`
    has n_t, sum_y_t, sum_yy_t for the treated arm and n_c, sum_y_c, sum_yy_c for the control.
    Adds mean_t, mean_c, variance_t, variance_c, variance_of_mean_t, variance_of_mean_c, effect,
    standard_error, degrees_of_freedom, t_statistic, p_value, ci_low, ci_high, relative_effect,
    fieller_g, relative_ci_low and relative_ci_high.
-#}
{%- macro welch_results(name, relation, level=0.95) -%}
{{ name }}_moments as (
    select
        *,
        {{ sample_mean('n_t', 'sum_y_t') }} as mean_t,
        {{ sample_mean('n_c', 'sum_y_c') }} as mean_c,
        {{ sample_variance('n_t', 'sum_y_t', 'sum_yy_t') }} as variance_t,
        {{ sample_variance('n_c', 'sum_y_c', 'sum_yy_c') }} as variance_c
    from {{ relation }}
),

{{ name }}_errors as (
    select
        *,
        variance_t/nullif(cast(n_t as double),0e0) as variance_of_mean_t,
        variance_c/nullif(cast(n_c as double),0e0) as variance_of_mean_c,
        mean_t - mean_c as effect,
        {{ welch_standard_error('variance_t', 'n_t', 'variance_c', 'n_c') }} as standard_error,
        {{ welch_degrees_of_freedom('variance_t', 'n_t', 'variance_c', 'n_c') }}
            as degrees_of_freedom
    from {{ name }}_moments
),

{{ t_inference(name ~ '_inference', name ~ '_errors', level=level) }},

{{ relative_results(name, name ~ '_inference', level=level) }}
{%- endmacro -%}
