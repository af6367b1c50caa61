{#- A relation is replaced where it stands, in one transaction: it was there, or the new one is. -#}
{%- macro replaced_where_it_stands(relation_type, create_sql) -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type=relation_type) -%}

    {{ run_hooks(pre_hooks) }}
    {%- if existing_relation is not none and existing_relation.type != relation_type -%}
        {% do adapter.drop_relation(existing_relation) %}
    {%- endif -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif -%}
    {%- call statement('main') -%}
        {{ create_sql }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}

    {{ return({'relations': [target_relation]}) }}
{%- endmacro -%}
