with audience_members as (
    select * from {{ ref('audience_members') }}
),

mirrored_audiences as (
    select * from {{ ref('mirrored_audiences') }}
    where is_member
),

people as (
    select * from {{ ref('people') }}
),

members as (
    select
        person_id,
        audience,
        'warehouse' as origin,
        expires_at,
        label
    from audience_members

    union all

    select
        person_id,
        'mparticle:' || audience_id as audience,
        'mparticle' as origin,
        cast(null as timestamp) as expires_at,
        'mParticle | ' || coalesce(audience_name, audience_id) as label
    from mirrored_audiences
),

final as (
    select
        md5(members.person_id || '|' || members.audience) as record_key,
        members.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        {{ customerio_profile_key('people.cio_id', 'people.customer_id', 'people.email') }}
            as profile_key,
        members.audience,
        members.origin,
        members.expires_at,
        cast(null as timestamp) as occurred_at,
        members.label,
        '{}' as payload,
        md5(members.label) as fingerprint
    from members
    inner join people
        on members.person_id = people.person_id
)

select * from final
