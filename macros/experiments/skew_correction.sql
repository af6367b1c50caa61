{#-
    P. Hall, "On the removal of skewness by transformation", Journal of the Royal Statistical
    Society B 54 (1992). With a small holdout and skewed spend the plain test calls messages
    helpful too often; Σy³ is enough to correct it, and no data is thrown away.
-#}
{%- macro hall_kappa(third_moment_t, n_t, third_moment_c, n_c, standard_error) -%}
    ((({{ third_moment_t }})/nullif(power(cast({{ n_t }} as double),2e0),0e0)
    -({{ third_moment_c }})/nullif(power(cast({{ n_c }} as double),2e0),0e0))
    /nullif(power({{ standard_error }},3e0),0e0))
{%- endmacro -%}


{%- macro hall_statistic(effect, standard_error, kappa) -%}
    {%- set t = '((' ~ effect ~ ')/nullif(' ~ standard_error ~ ',0e0))' -%}
    ({{ t }}+({{ kappa }})*power({{ t }},2e0)/3e0
    +power({{ kappa }},2e0)*power({{ t }},3e0)/27e0+({{ kappa }})/6e0)
{%- endmacro -%}


{#- The statistic is repeated some 40 times: pass columns. -#}
{%- macro hall_p(effect, standard_error, kappa) -%}
    {{ normal_two_sided_p(hall_statistic(effect, standard_error, kappa)) }}
{%- endmacro -%}


{#- (3 / κ)(∛(1 + κ(y − κ/6)) − 1): the inverse of the statistic. Near κ = 0, where the difference
    would cancel, its series. -#}
{%- macro hall_inverse(y, kappa) -%}
    {%- set shifted = '(' ~ y ~ '-(' ~ kappa ~ ')/6e0)' -%}
    {%- set bend = '((' ~ kappa ~ ')*' ~ shifted ~ ')' -%}
    {%- set series = [
        '0.090534979423868313e0', '-0.12345679012345679e0', '0.18518518518518519e0',
        '-0.33333333333333333e0', '1e0',
    ] -%}
    (case
        when abs({{ bend }}) < 1e-3 then {{ shifted }}*{{ polynomial(bend, series) }}
        else 3e0/({{ kappa }})*(sign(1e0+{{ bend }})
            *power(abs(1e0+{{ bend }}),0.33333333333333333e0)-1e0)
    end)
{%- endmacro -%}


{%- macro hall_low(effect, standard_error, kappa, z=none) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    (({{ effect }})-nullif({{ standard_error }},0e0)*{{ hall_inverse(z, kappa) }})
{%- endmacro -%}


{%- macro hall_high(effect, standard_error, kappa, z=none) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    (({{ effect }})-nullif({{ standard_error }},0e0)*{{ hall_inverse('(-' ~ z ~ ')', kappa) }})
{%- endmacro -%}
