{#- An instant some hours later; `hours` is an expression. -#}
{%- macro add_hours(instant, hours) -%}
    {{ return(adapter.dispatch('add_hours')(instant, hours)) }}
{%- endmacro -%}

{%- macro default__add_hours(instant, hours) -%}
    {{ instant }} + make_dt_interval(0, {{ hours }})
{%- endmacro -%}

{%- macro duckdb__add_hours(instant, hours) -%}
    {{ instant }} + to_hours({{ hours }})
{%- endmacro -%}
