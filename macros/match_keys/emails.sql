{#- An address, trimmed and in small letters, as Meta takes it; null where it is none. -#}
{%- macro meta_email(email) -%}
    nullif(regexp_extract(lower(trim({{ email }})), '^[^@ ]+@[^@ ]+$', 0), '')
{%- endmacro -%}

{#-
    Google takes Gmail's dots and what follows a plus out, of the two domains of Gmail only:
    https://developers.google.com/data-manager/api/devguides/concepts/formatting
-#}
{%- macro google_email(email) -%}
    {%- set plain = meta_email(email) -%}
    {%- set local = "regexp_extract(" ~ plain ~ ", '^([^@]+)@', 1)" -%}
    {%- set domain = "regexp_extract(" ~ plain ~ ", '@([^@]+)$', 1)" -%}
    {%- set mailbox = "replace(regexp_replace(" ~ local ~ ", '[+].*$', ''), '.', '')" -%}
    case
        when {{ domain }} not in ('gmail.com', 'googlemail.com') then {{ plain }}
        when {{ mailbox }} <> '' then {{ mailbox }} || '@' || {{ domain }}
    end
{%- endmacro -%}

{#-
    TikTok's pages differ, so the variable `tiktok_email_normalisation` decides: `plain` (small
    letters, no spaces), `strip_plus`, or `strip_plus_dots`, where dots go at every domain.
-#}
{%- macro tiktok_email(email) -%}
    {%- set rule = var('tiktok_email_normalisation', 'plain') -%}
    {%- set plain = meta_email("replace(" ~ email ~ ", ' ', '')") -%}
    {%- set local = "regexp_extract(" ~ plain ~ ", '^([^@]+)@', 1)" -%}
    {%- set host = "regexp_extract(" ~ plain ~ ", '@[^@]+$', 0)" -%}
    {%- set mailbox = "regexp_replace(" ~ local ~ ", '[+].*$', '')" -%}
    {%- if rule == 'plain' -%}
        {{ plain }}
    {%- elif rule == 'strip_plus' -%}
        nullif({{ mailbox }}, '') || {{ host }}
    {%- elif rule == 'strip_plus_dots' -%}
        nullif(replace({{ mailbox }}, '.', ''), '') || {{ host }}
    {%- else -%}
        {{ exceptions.raise_compiler_error(
            "variable tiktok_email_normalisation is " ~ rule
            ~ "; allowed: plain, strip_plus, strip_plus_dots"
        ) }}
    {%- endif -%}
{%- endmacro -%}
