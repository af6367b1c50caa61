with audience_members as (
    select * from {{ ref('audience_members') }}
),

people as (
    select * from {{ ref('people') }}
),

final as (
    select
        md5(audience_members.person_id || '|' || audience_members.audience) as record_key,
        audience_members.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        audience_members.audience,
        audience_members.label,
        cast(null as timestamp) as occurred_at,
        audience_members.expires_at,
        '{}' as payload,
        md5(audience_members.label) as fingerprint
    from audience_members
    inner join people
        on audience_members.person_id = people.person_id
)

select * from final
