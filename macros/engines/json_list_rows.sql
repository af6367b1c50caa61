{#- A row each text of a JSON list; to be a column of a select of its own. -#}
{%- macro json_list_rows(document) -%}
    {{ return(adapter.dispatch('json_list_rows')(document)) }}
{%- endmacro -%}

{%- macro default__json_list_rows(document) -%}
    explode(from_json({{ document }}, 'array<string>'))
{%- endmacro -%}

{%- macro duckdb__json_list_rows(document) -%}
    unnest(from_json({{ document }}, '["varchar"]'))
{%- endmacro -%}
