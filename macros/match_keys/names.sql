{#- A name in small letters of its own language, without punctuation, spaces single; null where none is left. -#}
{%- macro matched_name(name) -%}
    nullif(trim({{ replace_pattern(without_punctuation("lower(" ~ name ~ ")"), '[ ]+', ' ') }}), '')
{%- endmacro -%}

{#- A country's two letters, small; a country in words is none. -#}
{%- macro matched_country(country) -%}
    nullif(regexp_extract(lower(trim({{ country }})), '^[a-z][a-z]$', 0), '')
{%- endmacro -%}

{#- A postal code in small letters without spaces and dashes; of the United States the first five digits. -#}
{%- macro matched_postal_code(postal_code, country) -%}
    {%- set bare = replace_pattern("lower(" ~ postal_code ~ ")", '[ -]', '') -%}
    case
        when {{ matched_country(country) }} = 'us'
            then nullif(regexp_extract({{ bare }}, '^[0-9]{5}', 0), '')
        else nullif({{ bare }}, '')
    end
{%- endmacro -%}
