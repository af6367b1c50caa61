-- A shared e-mail joins only identifiers that have no cio_id: Customer.io allows several profiles
-- an address, and joining those would mix consent and arms.
with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

cio_people as (
    select * from {{ ref('int_cio_people') }}
),

known as (
    select
        observations.customer_id,
        observations.email,
        cio_people.canonical_cio_id
    from observations
    inner join cio_people
        on observations.cio_id = cio_people.cio_id
),

customer_id_owners as (
    select
        customer_id,
        min(canonical_cio_id) as canonical_cio_id,
        count(distinct canonical_cio_id) as owners
    from known
    where customer_id is not null
    group by customer_id
),

email_owners as (
    select
        email,
        min(canonical_cio_id) as canonical_cio_id,
        count(distinct canonical_cio_id) as owners
    from known
    where email is not null
    group by email
),

without_cio_id as (
    select
        'id:' || observations.customer_id as customer_node,
        'email:' || observations.email as email_node,
        case
            when customer_id_owners.owners = 1 then customer_id_owners.canonical_cio_id
        end as customer_owner,
        case when email_owners.owners = 1 then email_owners.canonical_cio_id end as email_owner,
        customer_id_owners.owners is not null as is_customer_id_owned,
        email_owners.owners is not null as is_email_owned
    from observations
    left join customer_id_owners
        on observations.customer_id = customer_id_owners.customer_id
    left join email_owners
        on observations.email = email_owners.email
    where observations.cio_id is null
),

pairs as (
    select
        customer_node as node_a,
        email_node as node_b
    from without_cio_id
    where
        customer_node is not null
        and email_node is not null
        and not is_customer_id_owned
        and not is_email_owned
    group by customer_node, email_node
),

crowded as (
    select node_b as node
    from pairs
    group by node_b
    having count(*) > {{ var('identity_connector_limit') }}
),

edges as (
    select
        pairs.node_a,
        pairs.node_b
    from pairs
    left join crowded
        on pairs.node_b = crowded.node
    where crowded.node is null
),

{{ connected_components('edges', 'loose') }},

nodes as (
    select
        customer_node as node,
        customer_owner as own_owner,
        -- An id nobody owns goes to the one profile that has its e-mail.
        case when not is_customer_id_owned then email_owner end as email_owner
    from without_cio_id
    where customer_node is not null

    union all

    select
        email_node as node,
        email_owner as own_owner,
        cast(null as {{ dbt.type_string() }}) as email_owner
    from without_cio_id
    where email_node is not null
),

labelled as (
    select
        nodes.node,
        coalesce(loose_components.component, nodes.node) as component,
        coalesce(loose_components.is_settled, true) as is_settled,
        coalesce(nodes.own_owner, nodes.email_owner) as owner
    from nodes
    left join loose_components
        on nodes.node = loose_components.node
),

-- A component that leads to two profiles belongs to neither. Its name is its first customer id,
-- or its e-mail where it has none.
components as (
    select
        component,
        case when count(distinct owner) = 1 then 'cio:' || min(owner) end as owner_key,
        coalesce(min(node) filter (where node like 'id:%'), min(node)) as own_key
    from labelled
    group by component
),

resolved as (
    select
        labelled.node as profile_key,
        coalesce(components.owner_key, components.own_key) as canonical_key,
        labelled.is_settled
    from labelled
    inner join components
        on labelled.component = components.component
    group by labelled.node, components.owner_key, components.own_key, labelled.is_settled

    union all

    select
        'cio:' || cio_id as profile_key,
        'cio:' || canonical_cio_id as canonical_key,
        is_settled
    from cio_people
),

final as (
    select
        profile_key,
        canonical_key,
        md5(canonical_key) as person_id,
        is_settled
    from resolved
)

select * from final
