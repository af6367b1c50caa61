{#-
    Objects laid over each other in an order, as one JSON text: a key's last value stands, and a
    null takes the key away. An aggregate; `order_by` is a list of expressions.
-#}
{%- macro json_fold(json, order_by) -%}
    {{ return(adapter.dispatch('json_fold')(json, order_by)) }}
{%- endmacro -%}

{#- Values become texts here: this engine has no map of values of several types. -#}
{%- macro default__json_fold(json, order_by) -%}
    to_json(aggregate(
        transform(
            array_sort(collect_list(struct({{ order_by | join(', ') }}, {{ json }} as folded))),
            x -> from_json(x.folded, 'map<string, string>')
        ),
        cast(map() as map<string, string>),
        (a, b) -> map_filter(
            map_concat(map_filter(a, (k, v) -> not map_contains_key(b, k)), b),
            (k, v) -> v is not null
        )
    ))
{%- endmacro -%}

{%- macro duckdb__json_fold(json, order_by) -%}
    cast(list_reduce(
        list_prepend(
            cast('{}' as json), list(cast({{ json }} as json) order by {{ order_by | join(', ') }})
        ),
        (a, b) -> json_merge_patch(a, b)
    ) as varchar)
{%- endmacro -%}

{#- One object laid over another, as JSON text; a null in the second takes the key away. -#}
{%- macro json_merge(first, second) -%}
    {{ return(adapter.dispatch('json_merge')(first, second)) }}
{%- endmacro -%}

{%- macro default__json_merge(first, second) -%}
    to_json(map_filter(
        map_concat(
            map_filter(
                from_json({{ first }}, 'map<string, string>'),
                (k, v) -> not map_contains_key(from_json({{ second }}, 'map<string, string>'), k)
            ),
            from_json({{ second }}, 'map<string, string>')
        ),
        (k, v) -> v is not null
    ))
{%- endmacro -%}

{%- macro duckdb__json_merge(first, second) -%}
    cast(json_merge_patch({{ first }}, {{ second }}) as varchar)
{%- endmacro -%}

{#- A JSON list of names as an object in which each of them is null. -#}
{%- macro json_nulls(names) -%}
    {{ return(adapter.dispatch('json_nulls')(names)) }}
{%- endmacro -%}

{%- macro default__json_nulls(names) -%}
    '{' || array_join(
        transform(from_json({{ names }}, 'array<string>'), x -> to_json(x) || ':null'), ','
    ) || '}'
{%- endmacro -%}

{%- macro duckdb__json_nulls(names) -%}
    '{' || array_to_string(
        list_transform(
            from_json({{ names }}, '["VARCHAR"]'), lambda x: cast(to_json(x) as varchar) || ':null'
        ),
        ','
    ) || '}'
{%- endmacro -%}

{#- Names and values of a group's rows as one JSON text. An aggregate; a name comes once a group. -#}
{%- macro json_collect(name, value) -%}
    {{ return(adapter.dispatch('json_collect')(name, value)) }}
{%- endmacro -%}

{%- macro default__json_collect(name, value) -%}
    to_json(map_from_entries(array_sort(collect_list(struct({{ name }}, {{ value }})))))
{%- endmacro -%}

{%- macro duckdb__json_collect(name, value) -%}
    '{' || string_agg(
        cast(to_json({{ name }}) as varchar) || ':' || cast(to_json({{ value }}) as varchar),
        ',' order by {{ name }}
    ) || '}'
{%- endmacro -%}

{#- An object with its keys in the order of the alphabet, so that equal objects are equal texts. -#}
{%- macro json_sorted(json) -%}
    {{ return(adapter.dispatch('json_sorted')(json)) }}
{%- endmacro -%}

{%- macro default__json_sorted(json) -%}
    to_json(map_from_entries(array_sort(map_entries(from_json({{ json }}, 'map<string, string>')))))
{%- endmacro -%}

{%- macro duckdb__json_sorted(json) -%}
    '{' || array_to_string(
        list_transform(
            list_sort(json_keys({{ json }})),
            lambda k: cast(to_json(k) as varchar) || ':' || cast(
                json_extract({{ json }}, '/' || replace(replace(k, '~', '~0'), '/', '~1'))
                as varchar
            )
        ),
        ','
    ) || '}'
{%- endmacro -%}
