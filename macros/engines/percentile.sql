{#- A percentile of a group, interpolated between its neighbours; to stand where an aggregate may. -#}
{%- macro percentile(value, share) -%}
    {{ return(adapter.dispatch('percentile')(value, share)) }}
{%- endmacro -%}

{%- macro default__percentile(value, share) -%}
    percentile({{ value }}, {{ share }})
{%- endmacro -%}

{%- macro duckdb__percentile(value, share) -%}
    quantile_cont({{ value }}, {{ share }})
{%- endmacro -%}
