with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

recorded_merges as (
    select * from {{ ref('stg_people__merges') }}
),

cio_components as (
    select * from {{ ref('int_cio_components') }}
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
