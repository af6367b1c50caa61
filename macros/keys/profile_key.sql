{#-
    The immutable key a fact carries for the profile it was recorded for: the best identifier that
    came with it. `person_id` is joined late, because merges move it and facts must not change.
-#}
{%- macro profile_key(cio_id, customer_id, email) -%}
    case
        when {{ cio_id }} is not null then 'cio:' || {{ cio_id }}
        when {{ customer_id }} is not null then 'id:' || {{ customer_id }}
        when {{ email }} is not null then 'email:' || {{ email }}
    end
{%- endmacro -%}

{#-
    The profile key of a user of mParticle, who may be known by its own id alone: then the id stands
    for the user until it comes with another. 0 is no user.
-#}
{%- macro user_profile_key(customer_id, email, mpid) -%}
    case
        when {{ customer_id }} is not null then 'id:' || {{ customer_id }}
        when {{ email }} is not null then 'email:' || {{ email }}
        when nullif(trim({{ mpid }}), '') <> '0' then 'mpid:' || trim({{ mpid }})
    end
{%- endmacro -%}

{#- E-mail addresses compare in lower case and trimmed, as Customer.io compares them. -#}
{%- macro normalise_email(email) -%}
    nullif(lower(trim({{ email }})), '')
{%- endmacro -%}

{%- macro normalise_id(identifier) -%}
    nullif(trim({{ identifier }}), '')
{%- endmacro -%}

{#-
    The profile of a person at Customer.io: its own canonical id, else the id that mParticle's
    forwarding goes by.
-#}
{%- macro customerio_profile_key(cio_id, customer_id, email) -%}
    coalesce('cio:' || {{ cio_id }}, {{ mparticle_profile_key(customer_id, email) }})
{%- endmacro -%}
