{#-
    What a delivery is a copy of, as one text: its ids from campaign to variant. Two deliveries of
    one message share it. With `relation` the ids are written as columns of it.
-#}
{%- macro message_key(relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    coalesce({{ of }}campaign_id, '')
    || '|' || coalesce({{ of }}broadcast_id, '')
    || '|' || coalesce({{ of }}newsletter_id, '')
    || '|' || coalesce({{ of }}transactional_message_id, '')
    || '|' || coalesce({{ of }}action_id, '')
    || '|' || coalesce({{ of }}content_id, '')
{%- endmacro -%}
