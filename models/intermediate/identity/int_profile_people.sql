-- A shared e-mail joins only identifiers that have no cio_id: Customer.io allows several profiles
-- an address, and joining those would mix consent and arms.
with loose_identifiers as (
    select * from {{ ref('int_loose_identifiers') }}
),

cio_people as (
    select * from {{ ref('int_cio_people') }}
),

loose_components as (
    select * from {{ ref('int_loose_components') }}
),

anonymous_users as (
    select * from {{ ref('int_anonymous_users') }}
),

nodes as (
    select
        customer_node as node,
        customer_owner as own_owner,
        -- An id nobody owns goes to the one profile that has its e-mail.
        case
            when not is_customer_id_owned and not is_crowded then email_owner
        end as email_owner
    from loose_identifiers
    where customer_node is not null

    union all

    select
        email_node as node,
        email_owner as own_owner,
        cast(null as {{ dbt.type_string() }}) as email_owner
    from loose_identifiers
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

-- An id of mParticle's is the person it came with, or one of its own: where it came with several
-- people, on a device they share, it is nobody's but its own.
users as (
    select
        anonymous_users.profile_key,
        case
            when count(distinct resolved.canonical_key) = 1 then min(resolved.canonical_key)
            else anonymous_users.profile_key
        end as canonical_key,
        coalesce(bool_and(resolved.is_settled), true) as is_settled
    from anonymous_users
    left join resolved
        on anonymous_users.named_profile_key = resolved.profile_key
    group by anonymous_users.profile_key
),

final as (
    select
        profile_key,
        canonical_key,
        md5(canonical_key) as person_id,
        is_settled
    from resolved

    union all

    select
        profile_key,
        canonical_key,
        md5(canonical_key) as person_id,
        is_settled
    from users
)

select * from final
