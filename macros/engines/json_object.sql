{#- JSON text of name and expression pairs: `json_object([('a', 'x'), …])`; null values are left out. -#}
{%- macro json_object(pairs) -%}
    {{ return(adapter.dispatch('json_object')(pairs)) }}
{%- endmacro -%}

{%- macro default__json_object(pairs) -%}
    to_json(named_struct(
        {%- for name, expression in pairs %}'{{ name }}', {{ expression }}{{ ', ' if not loop.last }}{% endfor -%}
    ))
{%- endmacro -%}

{%- macro duckdb__json_object(pairs) -%}
    cast(json_merge_patch('{}', to_json(struct_pack(
        {%- for name, expression in pairs %}"{{ name }}" := {{ expression }}{{ ', ' if not loop.last }}{% endfor -%}
    ))) as varchar)
{%- endmacro -%}
