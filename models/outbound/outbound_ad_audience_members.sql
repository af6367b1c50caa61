with audience_members as (
    select * from {{ ref('audience_members') }}
),

person_match_keys as (
    select * from {{ ref('person_match_keys') }}
),

final as (
    select
        md5(audience_members.person_id || '|' || audience_members.audience) as record_key,
        audience_members.person_id,
        person_match_keys.meta_match_keys,
        person_match_keys.google_match_keys,
        person_match_keys.tiktok_match_keys,
        audience_members.audience,
        audience_members.label,
        cast(null as timestamp) as occurred_at,
        audience_members.expires_at,
        '{"known_as":' || person_match_keys.known_as || '}' as payload,
        md5(audience_members.label) as fingerprint
    from audience_members
    inner join person_match_keys
        on audience_members.person_id = person_match_keys.person_id
)

select * from final
