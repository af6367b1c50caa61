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

{#- Occurrences with a line in a load that this model has yet to take. -#}
{%- macro touched_message_events() -%}
    select message_event_id
    from {{ ref('stg_customerio__webhook_events') }}
    where event_id in (
        select event_id
        from {{ ref('stg_customerio__webhook_events') }}
        where load_id in ({{ loads_to_take('customerio') }})
    )
{%- endmacro -%}

{#- Deliveries with a line in a load that `int_message_events` took and this model has not. -#}
{%- macro touched_deliveries() -%}
    select delivery_id
    from {{ ref('stg_customerio__webhook_events') }}
    where
        delivery_id is not null
        and load_id in ({{ loads_to_take('customerio', upstream='int_message_events') }})
{%- endmacro -%}
