with people as (
    select * from {{ ref('people') }}
),

destinations as (
    select * from {{ ref('destination_identifiers') }}
),

-- Most people have the same kinds of identifiers as many others.
identified as (
    select
        customer_id is not null as has_customer_id,
        email is not null as has_email,
        cio_id is not null as has_cio_id,
        phone is not null as has_phone,
        count(*) as people
    from people
    group by customer_id is not null, email is not null, cio_id is not null, phone is not null
),

-- One of the identifiers that a destination takes is enough.
reached as (
    select
        destinations.destination,
        identified.people,
        max(
            case destinations.identifier
                when 'customer_id' then cast(identified.has_customer_id as integer)
                when 'email' then cast(identified.has_email as integer)
                when 'cio_id' then cast(identified.has_cio_id as integer)
                when 'phone' then cast(identified.has_phone as integer)
                else 1
            end
        ) as is_reached
    from identified
    cross join destinations
    group by
        destinations.destination,
        identified.people,
        identified.has_customer_id,
        identified.has_email,
        identified.has_cio_id,
        identified.has_phone
),

final as (
    select
        destination,
        cast(sum(people) as bigint) as people,
        cast(coalesce(sum(people) filter (where is_reached = 1), 0) as bigint) as reached_people,
        cast(coalesce(sum(people) filter (where is_reached = 1), 0) as double)
        / nullif(cast(sum(people) as double), 0) as reach_rate
    from reached
    group by destination
)

select * from final
