{#-
    A phone number in E.164: a plus, the country's calling code, 15 digits at most. Whoever writes 00
    means the plus, and a zero in brackets is dialled at home only. A number without its country is
    completed by the variable `phone_calling_code`, and is none without it; nor is one with letters.
-#}
{%- macro e164_phone(phone) -%}
    {%- set marks -%}
        {{ replace_pattern("replace(" ~ phone ~ ", '(0)', '')", '[^0-9A-Za-z+]', '') }}
    {%- endset -%}
    {%- set number = "regexp_replace(" ~ marks ~ ", '^00', '+')" -%}
    {%- set code = var('phone_calling_code', none) -%}
    {%- if code is not none -%}
        {%- set number -%}
            case
                when {{ number }} like '+%' then {{ number }}
                else '+{{ code }}' || regexp_replace({{ number }}, '^0', '')
            end
        {%- endset -%}
    {%- endif -%}
    nullif(regexp_extract({{ number }}, '^[+][1-9][0-9]{7,14}$', 0), '')
{%- endmacro -%}

{#- Meta takes the digits alone: https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences -#}
{%- macro meta_phone(phone) -%}
    substr({{ e164_phone(phone) }}, 2)
{%- endmacro -%}

{#- Google takes E.164: https://developers.google.com/data-manager/api/devguides/concepts/formatting -#}
{%- macro google_phone(phone) -%}
    {{ e164_phone(phone) }}
{%- endmacro -%}

{#- TikTok's pages differ over the plus: variable `tiktok_phone_plus`. -#}
{%- macro tiktok_phone(phone) -%}
    {%- if var('tiktok_phone_plus', true) -%}
        {{ e164_phone(phone) }}
    {%- else -%}
        substr({{ e164_phone(phone) }}, 2)
    {%- endif -%}
{%- endmacro -%}
