{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        post_hook="{{ record_loads(['customerio']) }}"
    )
}}

-- Few of many lines: none is looked at twice.
with preference_changes as (
    select * from {{ ref('stg_customerio__preference_changes') }}
    {% if is_incremental() -%}
    where load_id in ({{ loads_to_take('customerio') }})
    {%- endif %}
),

final as (
    select
        profile_key,
        preferences,
        occurred_at
    from preference_changes
)

select * from final
