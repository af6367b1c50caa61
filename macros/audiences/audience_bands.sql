{#- The expected size of each audience that the variable `audiences` lists, from its own model. -#}
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
                    'expected_low': audience.expected_size[0],
                    'expected_high': audience.expected_size[1],
                }) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(bands) }}
{%- endmacro -%}
