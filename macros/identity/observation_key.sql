{#- One key for identifiers that came together. -#}
{%- macro observation_key() -%}
    coalesce(cio_id, '') || '|' || coalesce(customer_id, '') || '|' || coalesce(email, '')
{%- endmacro -%}

{#- Combinations in a load that `int_message_events` took and this model has not. -#}
{%- macro touched_identifiers() -%}
    select {{ observation_key() }}
    from {{ ref('stg_customerio__webhook_events') }}
    where load_id in ({{ loads_to_take('customerio', upstream='int_message_events') }})
{%- endmacro -%}
