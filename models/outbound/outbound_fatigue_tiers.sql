with person_fatigue as (
    select * from {{ ref('person_fatigue') }}
),

people as (
    select * from {{ ref('people') }}
),

-- The tier and nothing else: a score moves every day, and would tell everybody every day.
tiered as (
    select
        person_id,
        {{ json_object([('fatigue_tier', 'tier')]) }} as payload
    from person_fatigue
    where tier is not null
),

final as (
    select
        md5(tiered.person_id || '|fatigue_tier') as record_key,
        tiered.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        cast(null as timestamp) as occurred_at,
        '' as label,
        tiered.payload,
        md5(tiered.payload) as fingerprint
    from tiered
    inner join people
        on tiered.person_id = people.person_id
)

select * from final
