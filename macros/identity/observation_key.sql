{#- One key for identifiers that came together. -#}
{%- macro observation_key() -%}
    coalesce(cio_id, '') || '|' || coalesce(customer_id, '') || '|' || coalesce(email, '')
{%- endmacro -%}

{#- Combinations in a load that this model has yet to take. -#}
{%- macro touched_identifiers() -%}
    select {{ observation_key() }}
    from {{ ref('int_customerio_observations') }}
    where load_id in ({{ loads_to_take('customerio') }})
{%- endmacro -%}

{#- Where what was known of touched combinations lies while the model is built. -#}
{%- macro set_aside() -%}
    {{ return(round_table('kept')) }}
{%- endmacro -%}

{#- Pre-hook, before the touched combinations are forgotten. -#}
{%- macro set_aside_touched_identifiers() -%}
    {%- if is_incremental() -%}
    create or replace table {{ set_aside() }} as
    select * from {{ this }}
    where observation_key in ({{ touched_identifiers() }})
    {%- endif -%}
{%- endmacro -%}

{%- macro forget_set_aside() -%}
    drop table if exists {{ set_aside() }}
{%- endmacro -%}
