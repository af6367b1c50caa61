with incentive_grants as (
    select * from {{ ref('incentive_grants') }}
),

-- Of two held since one instant it is one whole, so that no two builds differ.
final as (
    select
        person_id,
        min_by(incentive_id, (granted_at, incentive_id)) filter (
            where grant_status = 'held'
        ) as incentive_id,
        min_by(channel, (granted_at, incentive_id)) filter (
            where grant_status = 'held'
        ) as channel,
        min(granted_at) filter (where grant_status = 'held') as held_since_at,
        min_by(valid_until_at, (granted_at, incentive_id)) filter (
            where grant_status = 'held'
        ) as held_until_at,
        max(granted_at) as last_granted_at,
        count(*) as discounts_given,
        count(*) filter (where is_second) as second_grants
    from incentive_grants
    group by person_id
)

select * from final
