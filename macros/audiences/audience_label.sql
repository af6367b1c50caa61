{#- The label of an audience, from its own model's `config.meta.audience`. -#}
{%- macro audience_label(audience) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() -%}
            {%- if node.resource_type == 'model' and node.name == audience -%}
                {{ return(node.config.meta.audience.label | replace("'", "''")) }}
            {%- endif -%}
        {%- endfor -%}
        {{ exceptions.raise_compiler_error(
            "The variable `audiences` lists '" ~ audience ~ "', but no model has that name."
        ) }}
    {%- endif -%}
{%- endmacro -%}
