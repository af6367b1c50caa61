{#- A number as text for people, rounded, its thousands apart: 1,000,000. -#}
{%- macro grouped_number(number) -%}
    {{ return(adapter.dispatch('grouped_number')(number)) }}
{%- endmacro -%}

{%- macro default__grouped_number(number) -%}
    format_number({{ number }}, 0)
{%- endmacro -%}

{%- macro duckdb__grouped_number(number) -%}
    format('{:,}', cast({{ number }} as bigint))
{%- endmacro -%}
