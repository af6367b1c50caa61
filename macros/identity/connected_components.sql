{#-
    Common table expressions that find connected components in a fixed number of rounds.

    `edges` is the name of an earlier CTE with text columns `node_a` and `node_b`. Each round takes
    the smallest label among a node's neighbours and then jumps to that label's own label, so that a
    chain shrinks much faster than one link a round. What has not settled after the last round is
    left apart: every node of an unsettled component keeps only itself and `is_settled` is false.

    Ends with the CTE `<prefix>_components` (node, component, is_settled).
-#}
{%- macro connected_components(edges, prefix, rounds=8) -%}
-- `union`, because an edge may be given from both its ends.
{{ prefix }}_links as (
    select
        node_a as node,
        node_b as neighbour
    from {{ edges }}

    union

    select
        node_b as node,
        node_a as neighbour
    from {{ edges }}
),

{{ prefix }}_labels_0 as (
    select
        node,
        node as label
    from {{ prefix }}_links
    group by node
),
{% for round in range(1, rounds + 1) %}
{{ prefix }}_nearest_{{ round }} as (
    select
        links.node,
        least(min(neighbours.label), min(own.label)) as label
    from {{ prefix }}_links as links
    inner join {{ prefix }}_labels_{{ round - 1 }} as neighbours
        on links.neighbour = neighbours.node
    inner join {{ prefix }}_labels_{{ round - 1 }} as own
        on links.node = own.node
    group by links.node
),

{{ prefix }}_labels_{{ round }} as (
    select
        nearest.node,
        least(nearest.label, jumped.label) as label
    from {{ prefix }}_nearest_{{ round }} as nearest
    inner join {{ prefix }}_nearest_{{ round }} as jumped
        on nearest.label = jumped.node
),
{% endfor %}
-- Two neighbours with two labels: the component they belong to has not settled, whatever part of
-- it one looks at, and so have all that share a label with it.
{{ prefix }}_unsettled as (
    select mine.label
    from {{ prefix }}_links as links
    inner join {{ prefix }}_labels_{{ rounds }} as mine
        on links.node = mine.node
    inner join {{ prefix }}_labels_{{ rounds }} as theirs
        on links.neighbour = theirs.node
    where mine.label <> theirs.label
    group by mine.label
),

{{ prefix }}_components as (
    select
        labels.node,
        case when unsettled.label is null then labels.label else labels.node end as component,
        unsettled.label is null as is_settled
    from {{ prefix }}_labels_{{ rounds }} as labels
    left join {{ prefix }}_unsettled as unsettled
        on labels.label = unsettled.label
)
{%- endmacro -%}
