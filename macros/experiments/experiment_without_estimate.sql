{#- The select list of a result without a number, without its `from`. -#}
{%- macro experiment_without_estimate(verdict, reason) -%}
    select
        experiment_id,
        'none' as arm,
        cast(null as {{ dbt.type_string() }}) as control_arm,
        metric,
        window_hours,
        'all' as segment,
        'none' as method,
        cast(null as bigint) as people,
        cast(null as bigint) as control_people,
        {%- for column in [
            'mean', 'control_mean', 'effect', 'standard_error', 'ci_low', 'ci_high', 'p_value',
            'relative_effect', 'relative_ci_low', 'relative_ci_high'
        ] %}
        cast(null as double) as {{ column }},
        {%- endfor %}
        {{ verdict }} as verdict,
        {{ reason }} as reason
{%- endmacro -%}
