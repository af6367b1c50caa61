{#-
    The rows of a large table for which a condition on one of its columns holds, when they are few:
    DuckDB reads the other columns only where such a row lies.
-#}
{%- macro few_rows(relation, condition) -%}
    {{ return(adapter.dispatch('few_rows')(relation, condition)) }}
{%- endmacro -%}

{%- macro default__few_rows(relation, condition) -%}
    select * from {{ relation }} where {{ condition }}
{%- endmacro -%}

{%- macro duckdb__few_rows(relation, condition) -%}
    select * from {{ relation }}
    where rowid in (select few.rowid from {{ relation }} as few where {{ condition }})
{%- endmacro -%}
