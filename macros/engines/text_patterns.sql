{#- Every match of a pattern replaced; patterns here have no backslash, which engines read differently. -#}
{%- macro replace_pattern(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('replace_pattern')(text, pattern, replacement)) }}
{%- endmacro -%}

{%- macro default__replace_pattern(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}')
{%- endmacro -%}

{%- macro duckdb__replace_pattern(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro -%}

{#- Letters of every language, their accents, digits and spaces; all else is taken out. -#}
{%- macro without_punctuation(text) -%}
    {{ return(adapter.dispatch('without_punctuation')(text)) }}
{%- endmacro -%}

{%- macro default__without_punctuation(text) -%}
    regexp_replace({{ text }}, '[^\\p{L}\\p{M}\\p{N} ]', '')
{%- endmacro -%}

{%- macro duckdb__without_punctuation(text) -%}
    regexp_replace({{ text }}, '[^\p{L}\p{M}\p{N} ]', '', 'g')
{%- endmacro -%}
