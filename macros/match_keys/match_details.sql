{#-
    Checksum of what a person's match keys are made of, and of how: where a setting or a macro of
    theirs changes, everybody's is another one.
-#}
{%- macro match_details() -%}
    {%- set how = local_md5([
        meta_email('email'), google_email('email'), tiktok_email('email'), meta_phone('phone'),
        google_phone('phone'), tiktok_phone('phone'), matched_name('name'),
        matched_postal_code('postal_code', 'country'), matched_country('country'),
    ] | join(' ')) -%}
    md5(
        '{{ how }}'
        {%- for detail in ['person_id', 'customer_id', 'cio_id', 'email', 'phone', 'first_name',
            'last_name', 'country', 'postal_code'] %}
        || '|' || coalesce({{ detail }}, '')
        {%- endfor %}
    )
{%- endmacro -%}

{#- Pre-hook: keys that were made of other details than a person has now are made again, or go. -#}
{%- macro forget_other_match_keys(people) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where details_fingerprint not in (select {{ match_details() }} from {{ people }})
    {%- endif -%}
{%- endmacro -%}
