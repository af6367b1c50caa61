{#- A naive UTC datetime from ISO 8601 text, with or without an offset (none means UTC). -#}
{%- macro parse_instant(text) -%}
    {%- set instant = modules.datetime.datetime.fromisoformat(text | string) -%}
    {%- if instant.tzinfo -%}
        {%- set instant = instant.astimezone(modules.pytz.utc).replace(tzinfo=none) -%}
    {%- endif -%}
    {{ return(instant) }}
{%- endmacro -%}

{#- The instant every window of this build is relative to: `as_of` if given, else its start. -#}
{%- macro as_of_text() -%}
    {%- if var('as_of', none) -%}
        {{ return(parse_instant(var('as_of')).strftime('%Y-%m-%d %H:%M:%S')) }}
    {%- endif -%}
    {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
{%- endmacro -%}

{%- macro as_of() -%}
    cast('{{ as_of_text() }}' as timestamp)
{%- endmacro -%}

{#- The earliest instant inside a window that ends at `as_of`; an event exactly there is in. -#}
{%- macro window_start(amount, unit) -%}
    ({{ as_of() }} - interval {{ amount }} {{ unit }})
{%- endmacro -%}
