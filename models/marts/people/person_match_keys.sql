{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ forget_other_match_keys(ref('people')) }}"
    )
}}

-- Normalising and hashing cost more than all else about people, who seldom change: keys are made of
-- those whose details are others than before, and every other row stays.
with people as (
    select
        *,
        {{ match_details() }} as details_fingerprint
    from {{ ref('people') }}
),

changed_people as (
    select * from people
    {% if is_incremental() -%}
    where details_fingerprint not in (select kept.details_fingerprint from {{ this }} as kept)
    {%- endif %}
),

-- As each platform wants them written before they are hashed; the macros name its page.
normalised as (
    select
        person_id,
        customer_id,
        email,
        cio_id,
        details_fingerprint,
        {{ meta_email('email') }} as meta_email,
        {{ google_email('email') }} as google_email,
        {{ tiktok_email('email') }} as tiktok_email,
        {{ meta_phone('phone') }} as meta_phone,
        {{ google_phone('phone') }} as google_phone,
        {{ tiktok_phone('phone') }} as tiktok_phone,
        {{ matched_name('first_name') }} as first_name,
        {{ matched_name('last_name') }} as last_name,
        {{ matched_postal_code('postal_code', 'country') }} as postal_code,
        {{ matched_country('country') }} as country
    from changed_people
),

-- Digests only from here on: nothing behind this CTE can be read, whatever a sync or a log shows.
final as (
    select
        person_id,
        -- a name alone matches strangers; all four together are what Meta takes for one person
        case
            when
                coalesce(meta_email, meta_phone) is not null
                or (
                    first_name is not null
                    and last_name is not null
                    and postal_code is not null
                    and country is not null
                )
                then {{ json_object([
                    ('EXTERN_ID', sha256_hex('customer_id')),
                    ('EMAIL', sha256_hex('meta_email')),
                    ('PHONE', sha256_hex('meta_phone')),
                    ('FN', sha256_hex('first_name')),
                    ('LN', sha256_hex('last_name')),
                    ('ZIP', sha256_hex('postal_code')),
                    ('COUNTRY', sha256_hex('country')),
                ]) }}
        end as meta_match_keys,
        case
            when coalesce(google_email, google_phone) is not null
                then {{ json_object([
                    ('emailAddress', sha256_hex('google_email')),
                    ('phoneNumber', sha256_hex('google_phone')),
                ]) }}
        end as google_match_keys,
        case
            when coalesce(tiktok_email, tiktok_phone) is not null
                then {{ json_object([
                    ('EMAIL_SHA256', sha256_hex('tiktok_email')),
                    ('PHONE_SHA256', sha256_hex('tiktok_phone')),
                ]) }}
        end as tiktok_match_keys,
        {{ json_object([
            ('person_id', sha256_hex('lower(trim(person_id))')),
            ('customer_id', sha256_hex('lower(trim(customer_id))')),
            ('email', sha256_hex('lower(trim(email))')),
            ('cio_id', sha256_hex('lower(trim(cio_id))')),
        ]) }} as known_as,
        details_fingerprint
    from normalised
)

select * from final
