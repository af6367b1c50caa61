{#-
    Creates the raw tables that no loader has made yet, empty, from the declared sources, so that a
    team adopts one source at a time and a fresh clone builds.
-#}
{%- macro create_missing_sources() -%}
    {%- if execute and flags.WHICH in ('build', 'run', 'test', 'seed', 'show', 'compile') -%}
        {%- for source in graph.sources.values() | sort(attribute='unique_id') -%}
            {%- set relation = api.Relation.create(
                database=source.database, schema=source.schema, identifier=source.identifier
            ) -%}
            {%- if not load_relation(relation) -%}
                {%- do run_query('create schema if not exists ' ~ relation.without_identifier()) -%}
                {%- set columns = [] -%}
                {%- for column in source.columns.values() -%}
                    {%- do columns.append('"' ~ column.name ~ '" ' ~ column.data_type) -%}
                {%- endfor -%}
                {%- do run_query(
                    'create table if not exists ' ~ relation ~ ' (' ~ columns | join(', ') ~ ')'
                ) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
