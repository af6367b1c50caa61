{#- SHA-256 of a text's UTF-8 bytes as 64 small hexadecimal digits; null stays null. -#}
{%- macro sha256_hex(text) -%}
    {{ return(adapter.dispatch('sha256_hex')(text)) }}
{%- endmacro -%}

{%- macro default__sha256_hex(text) -%}
    sha2({{ text }}, 256)
{%- endmacro -%}

{%- macro duckdb__sha256_hex(text) -%}
    sha256({{ text }})
{%- endmacro -%}
