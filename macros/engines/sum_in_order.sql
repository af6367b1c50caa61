{#- The sum of a group's floating-point values, taken in the order of a key that is unique in the
    group: the same rows give the same last digit, however many cores add them up. -#}
{%- macro sum_in_order(value, key) -%}
    {{ return(adapter.dispatch('sum_in_order')(value, key)) }}
{%- endmacro -%}

{#- Nulls count for nothing, and nothing but nulls is null, as in sum(). -#}
{%- macro default__sum_in_order(value, key) -%}
    if(
        count({{ value }}) = 0,
        null,
        aggregate(
            array_sort(collect_list(named_struct('key', {{ key }}, 'value', {{ value }}))),
            cast(0 as double),
            (total, one) -> total + coalesce(one.value, 0e0)
        )
    )
{%- endmacro -%}

{%- macro duckdb__sum_in_order(value, key) -%}
    sum({{ value }} order by {{ key }})
{%- endmacro -%}
