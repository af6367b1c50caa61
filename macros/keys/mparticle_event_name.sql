{#-
    The name under which mParticle forwards an event to Customer.io: spaces at either end go, and
    each space inside becomes `_` (https://docs.mparticle.com/integrations/customerio/event/).
-#}
{%- macro mparticle_event_name(name) -%}
    replace(trim({{ name }}), ' ', '_')
{%- endmacro -%}
