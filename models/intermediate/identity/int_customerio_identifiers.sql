{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('observation_key', touched_identifiers()) }}",
        post_hook="{{ record_loads(['customerio']) }}"
    )
}}

with webhook_events as (
    select
        *,
        {{ observation_key() }} as observation_key
    from {{ ref('stg_customerio__webhook_events') }}
    where profile_key is not null
),

final as (
    select
        observation_key,
        profile_key,
        cio_id,
        customer_id,
        email,
        min(occurred_at) as first_seen_at,
        max(occurred_at) as last_seen_at
    from webhook_events
    {% if is_incremental() -%}
    -- First and last need every line of a touched combination; only four columns are read.
    where observation_key in ({{ touched_identifiers() }})
    {%- endif %}
    group by observation_key, profile_key, cio_id, customer_id, email
)

select * from final
