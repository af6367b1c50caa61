{#- A row each part of a text between separators; to be a column of a select of its own. -#}
{%- macro split_rows(text, separator) -%}
    {{ return(adapter.dispatch('split_rows')(text, separator)) }}
{%- endmacro -%}

{%- macro default__split_rows(text, separator) -%}
    explode(split({{ text }}, '{{ separator }}'))
{%- endmacro -%}

{%- macro duckdb__split_rows(text, separator) -%}
    unnest(string_split({{ text }}, '{{ separator }}'))
{%- endmacro -%}
