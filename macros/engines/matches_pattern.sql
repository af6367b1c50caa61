{#- Whether a text as a whole matches a regular expression, written without anchors. -#}
{%- macro matches_pattern(text, pattern) -%}
    {{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}
{%- endmacro -%}

{%- macro default__matches_pattern(text, pattern) -%}
    {{ text }} rlike '^({{ pattern }})$'
{%- endmacro -%}

{%- macro duckdb__matches_pattern(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro -%}
