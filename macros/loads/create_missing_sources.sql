{#-
    Creates the raw tables that no loader has made yet, empty, from the declared sources, so that a
    team adopts one source at a time and a fresh clone builds.
-#}
{%- macro create_missing_sources() -%}
    {%- if execute -%}
        {%- for source in graph.sources.values() | sort(attribute='unique_id') -%}
            {%- set relation = api.Relation.create(
                database=source.database, schema=source.schema, identifier=source.identifier
            ) -%}
            {%- if loop.changed(source.schema) %}
    create schema if not exists {{ relation.without_identifier() }};
            {%- endif %}
    create table if not exists {{ relation }} (
            {%- for column in source.columns.values() %}
        "{{ column.name }}" {{ column.data_type }}{{ ',' if not loop.last }}
            {%- endfor %}
    );
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
