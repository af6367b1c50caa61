{#- The columns, in lower case, of the sources' tables that exist, by `schema.table`. -#}
{%- macro existing_columns(sources) -%}
    {{ return(adapter.dispatch('existing_columns')(sources)) }}
{%- endmacro -%}

{%- macro default__existing_columns(sources) -%}
    {%- set existing = {} -%}
    {%- for source in sources -%}
        {%- set relation = adapter.get_relation(
            database=source.database, schema=source.schema, identifier=source.identifier
        ) -%}
        {%- if relation is not none -%}
            {%- do existing.update({
                source.schema ~ '.' ~ source.identifier:
                adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(existing) }}
{%- endmacro -%}

{#- One query for all, for it is asked at the start of every run. -#}
{%- macro duckdb__existing_columns(sources) -%}
    {%- set existing = {} -%}
    {%- set rows = run_query(
        "select schema_name || '.' || table_name, lower(column_name) from duckdb_columns() "
        ~ "where database_name = '" ~ target.database ~ "'"
    ) -%}
    {%- for table, column in rows.rows -%}
        {%- do existing.setdefault(table, []).append(column) -%}
    {%- endfor -%}
    {{ return(existing) }}
{%- endmacro -%}
