{#-
    The profile that mParticle's integration forwards to, by its setting "User ID Type". A user who
    lacks the id that is set is not forwarded, and has none.
-#}
{%- macro mparticle_profile_key(customer_id, email) -%}
    {%- set user_id_type = var('mparticle_user_id_type') -%}
    {%- if user_id_type == 'customer_id' -%}
    'id:' || {{ customer_id }}
    {%- elif user_id_type == 'email' -%}
    'email:' || {{ email }}
    {%- elif user_id_type == 'prefer_customer_id' -%}
    coalesce('id:' || {{ customer_id }}, 'email:' || {{ email }})
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            'the variable mparticle_user_id_type is ' ~ user_id_type
            ~ '; it may be customer_id, email or prefer_customer_id'
        ) }}
    {%- endif -%}
{%- endmacro -%}
