{#-
    What new loads touch. An incremental model forgets the touched keys and computes them again from
    everything known of them, so that it always equals one full refresh: forgetting by what was
    touched, not by what comes out, also removes a key that has nothing left.
-#}
{%- macro forget_touched(key, touched) -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where {{ key }} in ({{ touched }})
    {%- endif -%}
{%- endmacro -%}

{#-
    What new loads say something about, of whatever feed: deliveries by their id, and events that
    have no delivery by their own. Loads count once the `upstream` model has taken them.
-#}
{%- macro touched_messages(upstream) -%}
    {%- set loads = loads_to_take('customerio', upstream=upstream) -%}
    select coalesce(delivery_id, event_id)
    from {{ ref('stg_customerio__webhook_events') }}
    where load_id in ({{ loads }})

    union all

    {{ touched_exported_messages(loads) }}

    union all

    select delivery_id
    from {{ ref('stg_customerio__api_messages') }}
    where load_id in ({{ loads }})
{%- endmacro -%}

{%- macro touched_exported_messages(loads) -%}
    select delivery_id
    from {{ ref('stg_customerio__export_deliveries') }}
    where load_id in ({{ loads }})

    union all

    select delivery_id
    from {{ ref('stg_customerio__export_metrics') }}
    where load_id in ({{ loads }})
{%- endmacro -%}

{#- Deliveries of the App API in a load that this model has yet to take. -#}
{%- macro touched_api_messages() -%}
    select delivery_id
    from {{ ref('stg_customerio__api_messages') }}
    where load_id in ({{ loads_to_take('customerio') }})
{%- endmacro -%}
