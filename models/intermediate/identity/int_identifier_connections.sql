{{ config(materialized='view') }}

-- How many others an identifier came with, whichever of them joined it to anybody.
with observations as (
    select * from {{ ref('int_identifier_observations') }}
),

customer_ids as (
    select
        customer_id,
        greatest(count(distinct cio_id), count(distinct email)) as other_identifiers
    from observations
    where customer_id is not null
    group by customer_id
),

-- Customer.io allows several profiles an address: with a cio_id it joins nobody.
emails as (
    select
        email,
        count(distinct customer_id) as other_identifiers
    from observations
    where email is not null and cio_id is null
    group by email
),

final as (
    select
        'customer_id' as identifier_type,
        customer_id as identifier,
        other_identifiers
    from customer_ids

    union all

    select
        'email' as identifier_type,
        email as identifier,
        other_identifiers
    from emails
)

select * from final
