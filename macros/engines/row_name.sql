{#- The column that finds a row of a table again within one statement: DuckDB has one, others a key. -#}
{%- macro row_name(key) -%}
    {{ return(adapter.dispatch('row_name')(key)) }}
{%- endmacro -%}

{%- macro default__row_name(key) -%}
    {{ key }}
{%- endmacro -%}

{%- macro duckdb__row_name(key) -%}
    rowid
{%- endmacro -%}
