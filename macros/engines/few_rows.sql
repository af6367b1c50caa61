{#-
    The rows of a large table for which a condition on one of its columns holds, when they are few:
    DuckDB reads the other columns only where such a row lies. `within` is a condition on when they
    were, by which it leaves out whole stretches of the table.
-#}
{%- macro few_rows(relation, condition, within='true') -%}
    {{ return(adapter.dispatch('few_rows')(relation, condition, within)) }}
{%- endmacro -%}

{%- macro default__few_rows(relation, condition, within) -%}
    select * from {{ relation }} where {{ condition }} and {{ within }}
{%- endmacro -%}

{%- macro duckdb__few_rows(relation, condition, within) -%}
    select * from {{ relation }}
    where
        rowid in (
            select few.rowid from {{ relation }} as few where {{ condition }} and {{ within }}
        )
        and {{ within }}
{%- endmacro -%}
