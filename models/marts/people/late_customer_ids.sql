-- Forwarded by "prefer customer id to e-mail", a user goes by the address until the id comes, and
-- by the id from then on: two profiles in Customer.io, with consent and history split between them.
with mparticle_identifiers as (
    select * from {{ ref('int_mparticle_identifiers') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

addresses as (
    select
        email,
        min(first_seen_at) as email_first_seen_at
    from mparticle_identifiers
    where email is not null and customer_id is null
    group by email
),

pairs as (
    select
        customer_id,
        email,
        min(first_seen_at) as customer_id_first_seen_at
    from mparticle_identifiers
    where email is not null and customer_id is not null
    group by customer_id, email
),

final as (
    select
        pairs.customer_id,
        pairs.email,
        profile_people.person_id,

        addresses.email_first_seen_at,
        pairs.customer_id_first_seen_at,

        '{{ var("mparticle_user_id_type") }}' = 'prefer_customer_id' as is_duplicated
    from pairs
    inner join addresses
        on pairs.email = addresses.email
    left join profile_people
        on profile_people.profile_key = 'id:' || pairs.customer_id
    where addresses.email_first_seen_at < pairs.customer_id_first_seen_at
)

select * from final
