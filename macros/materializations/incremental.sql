{#- What is new goes straight into the table, in the transaction in which its hooks forgot what it
    stands for. The adapter's own way keeps it in a temporary table first, and asks the catalog about
    both. Where there is no table yet, or a full refresh is asked for, it is made like any other. -#}
{%- materialization incremental, adapter='duckdb', supported_languages=['sql'] -%}
    {%- if not is_incremental() -%}
        {{ return(materialization_table_duckdb()) }}
    {%- endif -%}

    {#- before a hook or the query reads a column that the table of an older version lacks -#}
    {%- set kept = get_column_schema_from_query('select * from ' ~ this)
        | map(attribute='name') | list -%}
    {%- if model.columns.keys() | reject('in', kept) | list -%}
        {{ refuse_other_columns() }}
    {%- endif -%}
    {{ run_hooks(pre_hooks) }}
    {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
    {%- set filled = get_column_schema_from_query(sql) | map(attribute='name') | list -%}
    {%- if filled | sort != kept | sort -%}
        {{ refuse_other_columns() }}
    {%- endif -%}
    {%- set columns = filled | map('tojson') | join(', ') -%}
    {%- call statement('main') -%}
        insert into {{ this }} ({{ columns }})
        select {{ columns }}
        from (
            {{ sql }}
        ) as new_rows
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {% do adapter.commit() %}

    {{ return({'relations': [this.incorporate(type='table')]}) }}
{%- endmaterialization -%}

{%- macro refuse_other_columns() -%}
    {{ exceptions.raise_compiler_error(
        this.name ~ ' has other columns than its table: run `cio build --full-refresh` once'
    ) }}
{%- endmacro -%}
