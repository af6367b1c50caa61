{%- materialization view, adapter='duckdb', supported_languages=['sql'] -%}
    {%- set create_sql -%}
        create or replace view {{ this }} as (
            {{ sql }}
        )
    {%- endset -%}
    {{ return(replaced_where_it_stands('view', create_sql)) }}
{%- endmaterialization -%}
