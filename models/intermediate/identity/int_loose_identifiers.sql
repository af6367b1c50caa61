-- Identifiers that came without a cio_id, and what they may be joined by: the profile that already
-- owns the id or the address, or each other.
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
    where
        observations.cio_id is null
        and coalesce(observations.customer_id, observations.email) is not null
),

-- An identifier that came with more than a set number of others joins none of them.
counted as (
    select
        *,
        count(email_node) over (partition by customer_node) as emails_of_customer,
        count(customer_node) over (partition by email_node) as customers_of_email
    from without_cio_id
),

final as (
    select
        customer_node,
        email_node,
        customer_owner,
        email_owner,
        is_customer_id_owned,
        is_email_owned,
        coalesce(
            customer_node is not null
            and email_node is not null
            and greatest(emails_of_customer, customers_of_email)
            > {{ var('identity_connector_limit') }},
            false
        ) as is_crowded
    from counted
)

select * from final
