{#- The day, in the reporting time zone, of a naive UTC instant. -#}
{%- macro local_date(instant) -%}
    {{ return(adapter.dispatch('local_date')(instant)) }}
{%- endmacro -%}

{%- macro default__local_date(instant) -%}
    to_date(from_utc_timestamp({{ instant }}, '{{ var("reporting_timezone") }}'))
{%- endmacro -%}

{%- macro duckdb__local_date(instant) -%}
    {%- if var('reporting_timezone') == 'UTC' -%}
    cast({{ instant }} as date)
    {%- else -%}
    cast(({{ instant }} at time zone 'UTC') at time zone '{{ var("reporting_timezone") }}' as date)
    {%- endif -%}
{%- endmacro -%}
