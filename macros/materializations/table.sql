{#- The adapter's own way makes a table under another name, renames both and drops the old one, which
    for a warehouse of some hundred small tables takes longer than filling them. -#}
{%- materialization table, adapter='duckdb', supported_languages=['sql'] -%}
    {%- set create_sql -%}
        create or replace table {{ this }}
        {% if config.get('contract').enforced -%}
            {{ get_table_columns_and_constraints() }};
            insert into {{ this }} (
                {{ get_select_subquery(sql) }}
            )
        {%- else -%}
            as (
                {{ sql }}
            )
        {%- endif %}
    {%- endset -%}
    {{ return(replaced_where_it_stands('table', create_sql)) }}
{%- endmaterialization -%}
