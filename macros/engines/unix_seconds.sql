{#- Whole seconds since 1970 of an instant. -#}
{%- macro unix_seconds(instant) -%}
    {{ return(adapter.dispatch('unix_seconds')(instant)) }}
{%- endmacro -%}

{%- macro default__unix_seconds(instant) -%}
    unix_seconds({{ instant }})
{%- endmacro -%}

{%- macro duckdb__unix_seconds(instant) -%}
    cast(floor(epoch({{ instant }})) as bigint)
{%- endmacro -%}
