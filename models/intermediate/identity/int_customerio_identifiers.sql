{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('observation_key', touched_identifiers(), is_kept=true) }}",
        post_hook=["{{ record_loads(['customerio']) }}", "{{ drop_touched() }}"]
    )
}}

with observations as (
    select
        *,
        {{ observation_key() }} as observation_key
    from {{ ref('int_customerio_observations') }}
    {% if is_incremental() -%}
    where load_id in ({{ loads_to_take('customerio') }})
    {%- endif %}
),

-- First and last of what is new and of what was known of the same combinations: no line is read
-- twice.
seen as (
    select
        observation_key,
        profile_key,
        cio_id,
        customer_id,
        email,
        seen_at as first_seen_at,
        seen_at as last_seen_at
    from observations
    {% if is_incremental() -%}

    union all

    select
        observation_key,
        profile_key,
        cio_id,
        customer_id,
        email,
        first_seen_at,
        last_seen_at
    from {{ beside('kept') }}
    {%- endif %}
),

final as (
    select
        observation_key,
        profile_key,
        cio_id,
        customer_id,
        email,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from seen
    group by observation_key, profile_key, cio_id, customer_id, email
)

select * from final
