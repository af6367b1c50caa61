{#- A table is replaced where it stands, in one transaction: it was there, or the new one is. The
    adapter's own way makes it under another name, renames both and drops the old one, which for a
    warehouse of some hundred small tables takes longer than filling them. -#}
{%- materialization table, adapter='duckdb', supported_languages=['sql'] -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set is_contracted = config.get('contract').enforced -%}

    {{ run_hooks(pre_hooks) }}
    {%- if existing_relation is not none and not existing_relation.is_table -%}
        {% do adapter.drop_relation(existing_relation) %}
    {%- endif -%}
    {%- if is_contracted -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
    {%- call statement('main') -%}
        create or replace table {{ target_relation }}
        {% if is_contracted -%}
            {{ get_table_columns_and_constraints() }};
            insert into {{ target_relation }} (
                {{ get_select_subquery(sql) }}
            )
        {%- else -%}
            as (
                {{ sql }}
            )
        {%- endif %}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}

    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization -%}
