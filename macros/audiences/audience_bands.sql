{#- The expected size of each audience, and who watches it, that the variable `audiences` lists, from its own model. -#}
{%- macro audience_bands() -%}
    {%- set bands = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if node.resource_type == 'model' and node.name in var('audiences') -%}
                {%- set audience = node.config.meta.audience -%}
                {%- do bands.append({
                    'audience': node.name,
                    'label': audience_label(node.name),
                    'version': audience.version,
                    'monitor': audience.monitor,
                    'expected_low': audience.expected_size[0],
                    'expected_high': audience.expected_size[1],
                    'stay_days': window_stay_days(audience.window),
                }) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(bands) }}
{%- endmacro -%}

{#- How long the clock lets people stay in a window like `7 days`, `45-60 days` or `6-24 hours`, in
    days; none if it never ends, or is written otherwise. -#}
{%- macro window_stay_days(window) -%}
    {%- set parts = modules.re.match('(?:(\\d+)-)?(\\d+) (day|hour)s?$', window | string) -%}
    {%- if not parts -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set length = parts.group(2) | int - (parts.group(1) or 0) | int -%}
    {{ return(length / (24 if parts.group(3) == 'hour' else 1)) }}
{%- endmacro -%}
