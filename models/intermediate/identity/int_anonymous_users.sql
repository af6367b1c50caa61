-- Users whom mParticle once knew by its own id alone, with every id they have come with since.
with mparticle_identifiers as (
    select * from {{ ref('int_mparticle_identifiers') }}
),

anonymous as (
    select
        profile_key,
        mpid
    from mparticle_identifiers
    where profile_key like 'mpid:%'
    group by profile_key, mpid
),

named as (
    select
        mpid,
        profile_key
    from mparticle_identifiers
    where profile_key not like 'mpid:%'
    group by mpid, profile_key
),

final as (
    select
        anonymous.profile_key,
        named.profile_key as named_profile_key
    from anonymous
    left join named
        on anonymous.mpid = named.mpid
)

select * from final
