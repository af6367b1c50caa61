{#- The prefix keeps apart what is not production: another target, or a build as of a given time. -#}
{%- macro schema_prefix() -%}
    {%- if target.name != 'prod' -%}{{ target.name }}_{%- endif -%}
    {%- if var('as_of', none) -%}
        as_of_{{ parse_instant(var('as_of')).strftime('%Y%m%dt%H%M%S') }}_
    {%- endif -%}
{%- endmacro -%}

{%- macro generate_schema_name(custom_schema_name, node) -%}
    {{ schema_prefix() }}{{ custom_schema_name or target.schema }}
{%- endmacro -%}
