{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('observation_key', touched_identifiers()) }}",
        post_hook="{{ record_loads(['customerio']) }}"
    )
}}

with observations as (
    select
        *,
        {{ observation_key() }} as observation_key
    from {{ ref('int_customerio_observations') }}
),

final as (
    select
        observation_key,
        profile_key,
        cio_id,
        customer_id,
        email,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from observations
    {% if is_incremental() -%}
    -- First and last need every line of a touched combination; only four columns are read.
    where observation_key in ({{ touched_identifiers() }})
    {%- endif %}
    group by observation_key, profile_key, cio_id, customer_id, email
)

select * from final
