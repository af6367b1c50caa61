{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('identity_key', touched_mparticle_identities()) }}",
        post_hook=["{{ record_loads(['mparticle']) }}", "{{ drop_touched() }}"]
    )
}}

with identities as (
    select * from {{ ref('stg_mparticle__identities') }}
    {% if is_incremental() -%}
    -- First and last need every statement of a touched combination.
    where identity_key in ({{ touched_keys() }})
    {%- endif %}
),

final as (
    select
        identity_key,
        profile_key,
        customer_id,
        email,
        mpid,
        device_id,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at,
        min(created_at) as created_at
    from identities
    group by identity_key, profile_key, customer_id, email, mpid, device_id
)

select * from final
