{#-
    Connected components in a fixed number of rounds, each a table of its own.

    As common table expressions the rounds would refer to each other several times each, and an
    engine that unfolds them plans four times as much with every round: eight rounds over ten
    thousand links did not end within a minute, and as tables they take less than a second.

    A model of components has `settle_components(edges)` as its pre-hook, `select_components()` as
    its body and `forget_rounds()` as its post-hook. `edges` is a relation with text columns
    `node_a` and `node_b`.
-#}
{#-
    Each round a node takes the smallest label among its own and its neighbours', and then that
    label's own label, so that a chain shrinks much faster than one link a round.
-#}
{%- macro settle_components(edges, rounds=8) -%}
    create or replace table {{ beside('links') }} as
    select
        node_a as node,
        node_b as neighbour
    from {{ edges }}
    union all
    select
        node_b as node,
        node_a as neighbour
    from {{ edges }};

    create or replace table {{ beside('labels') }} as
    select
        node,
        node as label
    from {{ beside('links') }}
    group by node;

    {% for _ in range(rounds) %}
    create or replace table {{ beside('nearest') }} as
    select
        links.node,
        least(min(own.label), min(neighbours.label)) as label
    from {{ beside('links') }} as links
    inner join {{ beside('labels') }} as neighbours
        on links.neighbour = neighbours.node
    inner join {{ beside('labels') }} as own
        on links.node = own.node
    group by links.node;

    create or replace table {{ beside('labels') }} as
    select
        nearest.node,
        least(nearest.label, jumped.label) as label
    from {{ beside('nearest') }} as nearest
    inner join {{ beside('nearest') }} as jumped
        on nearest.label = jumped.node;
    {% endfor %}
{%- endmacro -%}


{#-
    A row a node: its component, and whether that has settled. Where two neighbours still have two
    labels, every node that shares one of them keeps only itself.
-#}
{%- macro select_components() -%}
with links as (
    select * from {{ beside('links') }}
),

labels as (
    select * from {{ beside('labels') }}
),

-- Not `where mine.label <> theirs.label`: DuckDB makes that the first join, of every label with
-- every other, and 20,000 links took a minute and a half.
unsettled as (
    select mine.label
    from links
    inner join labels as mine
        on links.node = mine.node
    inner join labels as theirs
        on links.neighbour = theirs.node
    group by mine.label
    having min(theirs.label) <> mine.label or max(theirs.label) <> mine.label
),

final as (
    select
        labels.node,
        case when unsettled.label is null then labels.label else labels.node end as component,
        unsettled.label is null as is_settled
    from labels
    left join unsettled
        on labels.label = unsettled.label
)

select * from final
{%- endmacro -%}


{%- macro forget_rounds() -%}
    {%- for name in ['links', 'labels', 'nearest'] %}
    drop table if exists {{ beside(name) }};
    {%- endfor %}
{%- endmacro -%}
