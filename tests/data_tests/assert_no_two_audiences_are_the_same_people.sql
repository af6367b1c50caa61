-- A warning: which of the two to keep is for people to say, or that both stay as siblings. Those of
-- fewer than 20 people are alike by chance.
{{ config(severity='warn') }}

{%- set siblings = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
        {%- for sibling in (node.config.meta.audience or {}).get('siblings') or [] -%}
            {%- do siblings.append([node.name, sibling] | sort | join('|')) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif %}

select
    audience,
    other_audience,
    overlap
from {{ ref('audience_overlaps') }}
where
    overlap >= 0.9
    and people >= 20
    and audience || '|' || other_audience not in ('{{ siblings | join("', '") }}')
