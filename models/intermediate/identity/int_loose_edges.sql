-- Customer ids and addresses that came together and belong to no profile, so that only they can
-- tell of each other.
with loose_identifiers as (
    select * from {{ ref('int_loose_identifiers') }}
),

final as (
    select
        customer_node as node_a,
        email_node as node_b
    from loose_identifiers
    where
        customer_node is not null
        and email_node is not null
        and not is_customer_id_owned
        and not is_email_owned
        and not is_crowded
    group by customer_node, email_node
)

select * from final
