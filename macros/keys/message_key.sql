{#-
    What a delivery is a copy of, as one text: its ids from campaign to variant. Two deliveries of
    one message share it.
-#}
{%- macro message_key(relation) -%}
    coalesce({{ relation }}.campaign_id, '')
    || '|' || coalesce({{ relation }}.broadcast_id, '')
    || '|' || coalesce({{ relation }}.newsletter_id, '')
    || '|' || coalesce({{ relation }}.transactional_message_id, '')
    || '|' || coalesce({{ relation }}.action_id, '')
    || '|' || coalesce({{ relation }}.content_id, '')
{%- endmacro -%}
