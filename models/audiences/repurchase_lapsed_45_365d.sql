-- When it is late to buy again depends on what somebody bought; the seeds buying_cycles and
-- product_cycles say.
with replenishment_stages as (
    select * from {{ ref('replenishment_stages') }}
    where stage = 'lapsed'
),

recent_buyers as (
    select * from {{ ref('person_purchases') }}
    where {{ in_window('last_ordered_at', 3, 'day') }}
),

opted_out as (
    select * from {{ ref('person_consent') }}
    where {{ opted_out_of('email') }}
),

lapsed as (
    {{ people_in_stage('replenishment_stages') }}
),

final as (
    select
        person_id,
        entered_at,
        expires_at,
        'did not buy again in its buying cycle: ' || categories as reason
    from lapsed
    where
        person_id not in (select recent_buyers.person_id from recent_buyers)
        and person_id not in (select opted_out.person_id from opted_out)
)

select * from final
