{#- Wilson's score interval of one proportion. `side` is '-' or '+'. -#}
{%- macro wilson_bound(side, successes, n, z=none) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    {%- set people = 'nullif(cast(' ~ n ~ ' as double),0e0)' -%}
    {%- set rate = '(cast(' ~ successes ~ ' as double)/' ~ people ~ ')' -%}
    (({{ rate }}+{{ z }}*{{ z }}/(2e0*{{ people }}){{ side }}{{ z }}*sqrt(greatest(0e0,
    {{ rate }}*(1e0-{{ rate }})/{{ people }}
    +{{ z }}*{{ z }}/(4e0*{{ people }}*{{ people }}))))
    /(1e0+{{ z }}*{{ z }}/{{ people }}))
{%- endmacro -%}


{%- macro wilson_low(successes, n, z=none) -%}
    {{ wilson_bound('-', successes, n, z) }}
{%- endmacro -%}


{%- macro wilson_high(successes, n, z=none) -%}
    {{ wilson_bound('+', successes, n, z) }}
{%- endmacro -%}


{#- Interval of a difference of proportions that stays honest where conversions are few: R. G.
    Newcombe, Statistics in Medicine 17 (1998), method 10. -#}
{%- macro newcombe_low(successes_t, n_t, successes_c, n_c, z=none) -%}
    {%- set rate_t = sample_mean(n_t, successes_t) -%}
    {%- set rate_c = sample_mean(n_c, successes_c) -%}
    ({{ rate_t }}-{{ rate_c }}-sqrt(
    power({{ rate_t }}-{{ wilson_low(successes_t, n_t, z) }},2e0)
    +power({{ wilson_high(successes_c, n_c, z) }}-{{ rate_c }},2e0)))
{%- endmacro -%}


{%- macro newcombe_high(successes_t, n_t, successes_c, n_c, z=none) -%}
    {%- set rate_t = sample_mean(n_t, successes_t) -%}
    {%- set rate_c = sample_mean(n_c, successes_c) -%}
    ({{ rate_t }}-{{ rate_c }}+sqrt(
    power({{ wilson_high(successes_t, n_t, z) }}-{{ rate_t }},2e0)
    +power({{ rate_c }}-{{ wilson_low(successes_c, n_c, z) }},2e0)))
{%- endmacro -%}


{#- Standard error of a difference of proportions if they are the same (pooled): the test that goes
    with Newcombe's interval is normal_two_sided_p(effect / pooled standard error). -#}
{%- macro pooled_proportion_standard_error(successes_t, n_t, successes_c, n_c) -%}
    {%- set rate = '((cast(' ~ successes_t ~ ' as double)+cast(' ~ successes_c
        ~ ' as double))/nullif(cast(' ~ n_t ~ ' as double)+cast(' ~ n_c ~ ' as double),0e0))' -%}
    nullif(sqrt(greatest(0e0,{{ rate }}*(1e0-{{ rate }})*(1e0/nullif(cast({{ n_t }} as double),0e0)
    +1e0/nullif(cast({{ n_c }} as double),0e0)))),0e0)
{%- endmacro -%}
