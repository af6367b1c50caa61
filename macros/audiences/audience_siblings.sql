{#-
    Pairs of audiences that may hold the same people, as SQL texts `'a|b'`: each audience with each
    of the siblings it names, the two in order.
-#}
{%- macro audience_siblings() -%}
    {%- set pairs = ["''"] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- for sibling in (node.config.meta.audience or {}).siblings or [] -%}
                {%- do pairs.append("'" ~ ([node.name, sibling] | sort | join('|')) ~ "'") -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(pairs | join(', ')) }}
{%- endmacro -%}
