with customerio_identifiers as (
    select * from {{ ref('int_customerio_identifiers') }}
),

people as (
    select * from {{ ref('stg_people__people') }}
),

orders as (
    select * from {{ ref('stg_commerce__orders') }}
    where version_rank = 1
),

assignments as (
    select * from {{ ref('stg_experiments__assignments') }}
),

mparticle_identifiers as (
    select * from {{ ref('int_mparticle_identifiers') }}
),

segment_members as (
    select * from {{ ref('int_segment_members') }}
),

api_people as (
    select * from {{ ref('stg_customerio__api_people') }}
),

paid_audience_days as (
    select * from {{ ref('stg_commerce__paid_audience_days') }}
),

every_source as (
    select
        profile_key,
        cio_id,
        customer_id,
        email,
        first_seen_at,
        last_seen_at
    from customerio_identifiers

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        coalesce(created_at, updated_at) as first_seen_at,
        coalesce(updated_at, created_at) as last_seen_at
    from people

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        ordered_at as first_seen_at,
        ordered_at as last_seen_at
    from orders

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        assigned_at as first_seen_at,
        assigned_at as last_seen_at
    from assignments

    union all

    select
        profile_key,
        cast(null as {{ dbt.type_string() }}) as cio_id,
        customer_id,
        email,
        first_seen_at,
        last_seen_at
    from mparticle_identifiers

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        observed_at as first_seen_at,
        observed_at as last_seen_at
    from segment_members

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        observed_at as first_seen_at,
        observed_at as last_seen_at
    from api_people

    union all

    select
        profile_key,
        cio_id,
        customer_id,
        email,
        cast(active_on as timestamp) as first_seen_at,
        cast(active_on as timestamp) as last_seen_at
    from paid_audience_days
),

final as (
    select
        profile_key,
        cio_id,
        customer_id,
        email,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from every_source
    where profile_key is not null
    group by profile_key, cio_id, customer_id, email
)

select * from final
