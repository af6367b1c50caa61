{#- Ids of events of mParticle with a version in a load that this model has yet to take. -#}
{%- macro touched_behaviour_event_keys() -%}
    select event_key
    from {{ ref('stg_mparticle__events') }}
    where load_id in ({{ loads_to_take('mparticle') }})
{%- endmacro -%}

{#- The events that have these ids. -#}
{%- macro touched_behaviour_events() -%}
    select behaviour_event_id as touched_key
    from {{ ref('stg_mparticle__events') }}
    where event_key in ({{ touched_behaviour_event_keys() }})
{%- endmacro -%}

{#- Combinations of identities in a load that this model has yet to take. -#}
{%- macro touched_mparticle_identities() -%}
    select identity_key as touched_key
    from {{ ref('stg_mparticle__identities') }}
    where load_id in ({{ loads_to_take('mparticle') }})
{%- endmacro -%}
