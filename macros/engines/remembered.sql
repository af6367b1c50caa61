{#-
    An instant that one statement finds and later ones compare with as if it stood in them: DuckDB
    leaves out stretches of a table by what is known when it plans, and not by what it finds out.
    Other engines go without.
-#}
{%- macro remember_instant(name, query) -%}
    {{ return(adapter.dispatch('remember_instant')(name, query)) }}
{%- endmacro -%}

{%- macro default__remember_instant(name, query) -%}
{%- endmacro -%}

{%- macro duckdb__remember_instant(name, query) -%}
    set variable {{ name }} = ({{ query }});
{%- endmacro -%}

{#- Whether a time is not before the instant remembered under a name; true where none is. -#}
{%- macro not_before_remembered(at, name) -%}
    {{ return(adapter.dispatch('not_before_remembered')(at, name)) }}
{%- endmacro -%}

{%- macro default__not_before_remembered(at, name) -%}
    {{ return('true') }}
{%- endmacro -%}

{%- macro duckdb__not_before_remembered(at, name) -%}
    {%- set instant = "getvariable('" ~ name ~ "')" -%}
    {{ return('(' ~ instant ~ ' is null or ' ~ at ~ ' >= ' ~ instant ~ ')') }}
{%- endmacro -%}
