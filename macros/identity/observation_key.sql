{#- One key for identifiers that came together. -#}
{%- macro observation_key() -%}
    coalesce(cio_id, '') || '|' || coalesce(customer_id, '') || '|' || coalesce(email, '')
{%- endmacro -%}

{#- Combinations in a load that this model has yet to take. -#}
{%- macro touched_identifiers() -%}
    select {{ observation_key() }} as touched_key
    from {{ ref('int_customerio_observations') }}
    where load_id in ({{ loads_to_take('customerio') }})
{%- endmacro -%}
