{#- What a message is told by, from its campaign to its variant. -#}
{%- macro message_ids() -%}
    {{ return([
        'campaign_id', 'broadcast_id', 'newsletter_id', 'transactional_message_id', 'action_id',
        'content_id',
    ]) }}
{%- endmacro -%}


{#-
    What a delivery is a copy of, as one text: its ids from campaign to variant. Two deliveries of
    one message share it. With `relation` the ids are written as columns of it.
-#}
{%- macro message_key(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    {%- for id in message_ids() %}
    {{ "|| '|' || " if not loop.first }}coalesce({{ of }}{{ id }}, '')
    {%- endfor %}
{%- endmacro -%}
