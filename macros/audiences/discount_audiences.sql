{#- Names of the audiences that offer a discount: `discount_policy: eligible`. -#}
{%- macro discount_audiences() -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if node.resource_type == 'model' and node.name in var('audiences')
                and node.config.meta.audience.discount_policy == 'eligible' -%}
                {%- do names.append(node.name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(names | sort) }}
{%- endmacro -%}
