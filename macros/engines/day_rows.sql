{#- A row each day from one day to another, both in; to be a column of a select of its own. -#}
{%- macro day_rows(first_on, last_on) -%}
    {{ return(adapter.dispatch('day_rows')(first_on, last_on)) }}
{%- endmacro -%}

{%- macro default__day_rows(first_on, last_on) -%}
    explode(sequence({{ first_on }}, {{ last_on }}, interval 1 day))
{%- endmacro -%}

{%- macro duckdb__day_rows(first_on, last_on) -%}
    cast(unnest(generate_series(cast({{ first_on }} as timestamp), cast({{ last_on }} as timestamp), interval 1 day)) as date)
{%- endmacro -%}
