{#- The instant, naive UTC, of a whole number of unix seconds. -#}
{%- macro unix_instant(seconds) -%}
    {{ return(adapter.dispatch('unix_instant')(seconds)) }}
{%- endmacro -%}

{%- macro default__unix_instant(seconds) -%}
    to_utc_timestamp(timestamp_seconds({{ seconds }}), current_timezone())
{%- endmacro -%}

{%- macro duckdb__unix_instant(seconds) -%}
    make_timestamp({{ seconds }} * 1000000)
{%- endmacro -%}
