-- Two cio_ids are one person only through a recorded merge or a shared customer id. Nearly every
-- person has one cio_id and needs no search; the search runs on the rest.
with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

recorded_merges as (
    select * from {{ ref('stg_people__merges') }}
),

-- `union`, because each id is wanted once.
cio_ids as (
    select cio_id from observations
    where cio_id is not null

    union

    select primary_cio_id as cio_id from recorded_merges

    union

    select secondary_cio_id as cio_id from recorded_merges
),

customer_id_holders as (
    select
        customer_id,
        cio_id
    from observations
    where customer_id is not null and cio_id is not null
    group by customer_id, cio_id
),

shared_customer_ids as (
    select
        customer_id,
        min(cio_id) as first_cio_id,
        count(*) as holders
    from customer_id_holders
    group by customer_id
    having count(*) > 1
),

-- `union`, because a merge and a shared customer id may say the same.
edges as (
    select
        primary_cio_id as node_a,
        secondary_cio_id as node_b
    from recorded_merges

    union

    select
        shared_customer_ids.first_cio_id as node_a,
        customer_id_holders.cio_id as node_b
    from shared_customer_ids
    inner join customer_id_holders
        on shared_customer_ids.customer_id = customer_id_holders.customer_id
    where
        shared_customer_ids.holders <= {{ var('identity_connector_limit') }}
        and shared_customer_ids.first_cio_id <> customer_id_holders.cio_id
),

{{ connected_components('edges', 'cio') }},

secondaries as (
    select secondary_cio_id as cio_id
    from recorded_merges
    group by secondary_cio_id
),

-- The profile that others were merged into keeps its name.
canonical as (
    select
        cio_components.component,
        coalesce(
            min(cio_components.node) filter (where secondaries.cio_id is null),
            min(cio_components.node)
        ) as canonical_cio_id
    from cio_components
    left join secondaries
        on cio_components.node = secondaries.cio_id
    group by cio_components.component
),

final as (
    select
        cio_ids.cio_id,
        coalesce(canonical.canonical_cio_id, cio_ids.cio_id) as canonical_cio_id,
        coalesce(cio_components.is_settled, true) as is_settled
    from cio_ids
    left join cio_components
        on cio_ids.cio_id = cio_components.node
    left join canonical
        on cio_components.component = canonical.component
)

select * from final
