{#-
    Rows of a query, one for each entry of a JSON object of whole numbers in it: the entry's `name`
    and `number`, and the columns named. Entries that are no whole number are left out.
-#}
{%- macro json_numbers(query, json_column, columns) -%}
    {{ return(adapter.dispatch('json_numbers')(query, json_column, columns)) }}
{%- endmacro -%}

{%- macro default__json_numbers(query, json_column, columns) -%}
    select
        {{ columns | join(', ') }},
        name,
        number
    from {{ query }}
    lateral view explode(from_json({{ json_column }}, 'map<string, bigint>')) entries as name, number
    where number is not null
{%- endmacro -%}

{%- macro duckdb__json_numbers(query, json_column, columns) -%}
    select
        {{ columns | join(', ') }},
        entry.key as name,
        try_cast(entry.value as bigint) as number
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
    where try_cast(entry.value as bigint) is not null
{%- endmacro -%}
