{#-
    Creates the raw tables that no loader has made yet, empty, from the declared sources, so that a
    team adopts one source at a time and a fresh clone builds. A table that an older version made
    gets the columns it lacks, empty, so that an upgrade builds before the next load.
-#}
{%- macro create_missing_sources() -%}
    {%- if execute -%}
        {%- set sources = graph.sources.values() | sort(attribute='unique_id') -%}
        {%- set existing = existing_columns(sources) -%}
        {%- for source in sources -%}
            {%- set relation = api.Relation.create(
                database=source.database, schema=source.schema, identifier=source.identifier
            ) -%}
            {%- set known = existing.get(source.schema ~ '.' ~ source.identifier) -%}
            {%- if loop.changed(source.schema) %}
    create schema if not exists {{ relation.without_identifier() }};
            {%- endif %}
            {%- if known is none %}
    create table if not exists {{ relation }} (
                {%- for column in source.columns.values() %}
        "{{ column.name }}" {{ column.data_type }}{{ ',' if not loop.last }}
                {%- endfor %}
    );
            {%- else -%}
                {%- for column in source.columns.values() if column.name | lower not in known %}
    alter table {{ relation }} add column "{{ column.name }}" {{ column.data_type }};
                {%- endfor -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
