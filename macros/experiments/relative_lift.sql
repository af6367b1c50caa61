{#- Lift relative to nothing, or to a loss, has no meaning: null unless the control is above 0. -#}
{%- macro relative_effect(mean_t, mean_c) -%}
    (case when {{ mean_c }} > 0e0 then ({{ mean_t }})/({{ mean_c }})-1e0 end)
{%- endmacro -%}


{#- Fieller's g: the share of the control mean's square that is its own uncertainty. At 1 or above
    the control mean is not told from 0 and the relative interval is unbounded. -#}
{%- macro fieller_g(mean_c, variance_of_mean_c, z=none) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    (case when {{ mean_c }} > 0e0 then
        {{ z }}*{{ z }}*({{ variance_of_mean_c }})/(({{ mean_c }})*({{ mean_c }}))
    end)
{%- endmacro -%}


{%- macro fieller_bound(side, mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z) -%}
    {%- set z = double_literal(z or normal_critical_value()) -%}
    {%- set g = fieller_g(mean_c, variance_of_mean_c, z) -%}
    {%- set ratio = '((' ~ mean_t ~ ')/(' ~ mean_c ~ '))' -%}
    (case when {{ g }} < 1e0 then
        ({{ ratio }}{{ side }}{{ z }}/({{ mean_c }})*sqrt(
        ({{ variance_of_mean_t }})*(1e0-{{ g }})
        +{{ ratio }}*{{ ratio }}*({{ variance_of_mean_c }})))
        /(1e0-{{ g }})-1e0
    end)
{%- endmacro -%}


{%- macro fieller_low(mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z=none) -%}
    {{ fieller_bound('-', mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z) }}
{%- endmacro -%}


{%- macro fieller_high(mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z=none) -%}
    {{ fieller_bound('+', mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z) }}
{%- endmacro -%}


{#- Standard error of the relative lift by the delta method. -#}
{%- macro delta_relative_standard_error(
    mean_t, variance_of_mean_t, mean_c, variance_of_mean_c
) -%}
    {%- set ratio = '((' ~ mean_t ~ ')/(' ~ mean_c ~ '))' -%}
    (case when {{ mean_c }} > 0e0 then
        nullif(sqrt(({{ variance_of_mean_t }})+{{ ratio }}*{{ ratio }}*({{ variance_of_mean_c }}))
        /({{ mean_c }}),0e0)
    end)
{%- endmacro -%}


{#- Standard error of the logarithm of the ratio of means. -#}
{%- macro log_relative_standard_error(
    mean_t, variance_of_mean_t, mean_c, variance_of_mean_c
) -%}
    (case when {{ mean_t }} > 0e0 and {{ mean_c }} > 0e0 then
        nullif(sqrt(({{ variance_of_mean_t }})/(({{ mean_t }})*({{ mean_t }}))
        +({{ variance_of_mean_c }})/(({{ mean_c }})*({{ mean_c }}))),0e0)
    end)
{%- endmacro -%}


{%- macro log_relative_low(mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z=none) -%}
    (({{ relative_effect(mean_t, mean_c) }}+1e0)
    *exp(-{{ double_literal(z or normal_critical_value()) }}*{{ log_relative_standard_error(
        mean_t, variance_of_mean_t, mean_c, variance_of_mean_c
    ) }})-1e0)
{%- endmacro -%}


{%- macro log_relative_high(mean_t, variance_of_mean_t, mean_c, variance_of_mean_c, z=none) -%}
    (({{ relative_effect(mean_t, mean_c) }}+1e0)
    *exp({{ double_literal(z or normal_critical_value()) }}*{{ log_relative_standard_error(
        mean_t, variance_of_mean_t, mean_c, variance_of_mean_c
    ) }})-1e0)
{%- endmacro -%}


{#-
    A CTE called `name` that adds relative_effect, fieller_g, relative_ci_low and relative_ci_high
    (Fieller) to a relation with mean_t, mean_c, variance_of_mean_t and variance_of_mean_c. Where
    neither arm varies the interval is null, as the absolute one is.
-#}
{%- macro relative_results(name, relation, level=0.95) -%}
{%- set z = normal_critical_value(level) -%}
{%- set arguments = ('mean_t', 'variance_of_mean_t', 'mean_c', 'variance_of_mean_c', z) -%}
{{ name }} as (
    select
        *,
        {{ relative_effect('mean_t', 'mean_c') }} as relative_effect,
        {{ fieller_g('mean_c', 'variance_of_mean_c', z) }} as fieller_g,
        case when variance_of_mean_t + variance_of_mean_c > 0e0 then
            {{ fieller_low(*arguments) }}
        end as relative_ci_low,
        case when variance_of_mean_t + variance_of_mean_c > 0e0 then
            {{ fieller_high(*arguments) }}
        end as relative_ci_high
    from {{ relation }}
)
{%- endmacro -%}
