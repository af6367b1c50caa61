{#-
    Rows of a query, one for each entry of a JSON object in it: the entry's `name`, its `value` as
    text, and the columns named. What is no object has no entries.
-#}
{%- macro json_entries(query, json_column, columns) -%}
    {{ return(adapter.dispatch('json_entries')(query, json_column, columns)) }}
{%- endmacro -%}

{%- macro default__json_entries(query, json_column, columns) -%}
    select
        {{ columns | join(', ') }},
        name,
        value
    from {{ query }}
    lateral view explode(from_json({{ json_column }}, 'map<string, string>')) entries as name, value
{%- endmacro -%}

{%- macro duckdb__json_entries(query, json_column, columns) -%}
    select
        {{ columns | join(', ') }},
        entry.key as name,
        entry.value as value
    from (
        select
            {{ columns | join(', ') }},
            unnest(map_entries(try_cast({{ json_column }} as map(varchar, varchar)))) as entry
        from (
            select
                {{ columns | join(', ') }},
                cast({{ json_column }} as json) as {{ json_column }}
            from {{ query }}
            where json_valid({{ json_column }}) and {{ json_column }}[1] = '{'
        ) as objects
    ) as entries
{%- endmacro -%}

{#- The same of entries that are whole numbers, as `number`; all others are left out. -#}
{%- macro json_numbers(query, json_column, columns) -%}
    select
        {{ columns | join(', ') }},
        name,
        try_cast(value as bigint) as number
    from (
        {{ json_entries(query, json_column, columns) }}
    ) as numbers
    where try_cast(value as bigint) is not null
{%- endmacro -%}
