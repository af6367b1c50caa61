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

{#- The same of the field that a column names. -#}
{%- macro json_named_text(document, name_column) -%}
    {{ return(adapter.dispatch('json_named_text')(document, name_column)) }}
{%- endmacro -%}

{%- macro default__json_named_text(document, name_column) -%}
    from_json({{ document }}, 'map<string, string>')[{{ name_column }}]
{%- endmacro -%}

{#- A pointer, for in a path a dot or a space of the name would be read as more than a name. -#}
{%- macro duckdb__json_named_text(document, name_column) -%}
    json_extract_string(
        {{ document }}, '/' || replace(replace({{ name_column }}, '~', '~0'), '/', '~1')
    )
{%- endmacro -%}
