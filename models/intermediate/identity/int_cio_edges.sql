-- Two cio_ids are one person only through a recorded merge or a shared customer id. Nearly every
-- person has one cio_id and no edge; the search for components runs on the rest.
with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

recorded_merges as (
    select * from {{ ref('stg_people__merges') }}
),

customer_id_holders as (
    select
        customer_id,
        cio_id
    from observations
    where customer_id is not null and cio_id is not null
    group by customer_id, cio_id
),

-- A profile that has had more ids than the limit, such as a test account, joins nobody by them.
busy_cio_ids as (
    select cio_id
    from customer_id_holders
    group by cio_id
    having count(*) > {{ var('identity_connector_limit') }}
),

joining_holders as (
    select * from customer_id_holders
    where cio_id not in (select busy_cio_ids.cio_id from busy_cio_ids)
),

shared_customer_ids as (
    select
        customer_id,
        min(cio_id) as first_cio_id,
        count(*) as holders
    from joining_holders
    group by customer_id
    having count(*) > 1
),

-- `union`, because a merge and a shared customer id may say the same.
final as (
    select
        primary_cio_id as node_a,
        secondary_cio_id as node_b
    from recorded_merges

    union

    select
        shared_customer_ids.first_cio_id as node_a,
        joining_holders.cio_id as node_b
    from shared_customer_ids
    inner join joining_holders
        on shared_customer_ids.customer_id = joining_holders.customer_id
    where
        shared_customer_ids.holders <= {{ var('identity_connector_limit') }}
        and shared_customer_ids.first_cio_id <> joining_holders.cio_id
)

select * from final
