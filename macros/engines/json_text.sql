{#- The text of one field of a JSON object; null where it is not there. -#}
{%- macro json_text(document, field) -%}
    {{ return(adapter.dispatch('json_text')(document, field)) }}
{%- endmacro -%}

{%- macro default__json_text(document, field) -%}
    get_json_object({{ document }}, '$.{{ field }}')
{%- endmacro -%}

{%- macro duckdb__json_text(document, field) -%}
    json_extract_string({{ document }}, '$.{{ field }}')
{%- endmacro -%}
