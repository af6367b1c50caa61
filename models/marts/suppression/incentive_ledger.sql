-- One line a person, so that nobody holds two: who holds a discount, who gets the next one first,
-- and who is left out and why.
with incentive_grants as (
    select * from {{ ref('incentive_grants') }}
),

person_purchases as (
    select * from {{ ref('person_purchases') }}
),

active_customers as (
    select * from {{ ref('active_customers') }}
),

suppression_ladder as (
    select * from {{ ref('suppression_ladder') }}
),

opted_out as (
    select person_id
    from {{ ref('person_consent') }}
    where is_opted_out and channel in ('all', 'email')
    group by person_id
),

-- Whoever is held out of a running experiment stays as they are, or it measures the discount.
held_out as (
    select experiment_people.person_id
    from {{ ref('experiment_people') }} as experiment_people
    inner join {{ ref('int_experiments') }} as experiments
        on experiment_people.experiment_id = experiments.experiment_id
    where
        experiment_people.is_held_out
        and (experiments.ends_at is null or experiments.ends_at > {{ as_of() }})
    group by experiment_people.person_id
),

-- Of two held since one instant it is one whole, so that no two builds differ.
holders as (
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
),

-- A `union`, because most who hold one have ordered as well.
known as (
    select person_id from person_purchases
    union
    select person_id from holders
),

judged as (
    select
        known.person_id,
        holders.incentive_id,
        holders.channel,
        holders.held_since_at,
        holders.held_until_at,
        holders.last_granted_at,
        coalesce(holders.discounts_given, 0) as discounts_given,
        coalesce(holders.second_grants, 0) as second_grants,
        person_purchases.last_ordered_at,
        cast(person_purchases.orders * person_purchases.average_order_value as double) as spent,
        case
            when holders.incentive_id is not null then 'holds one'
            when held_out.person_id is not null then 'held out of a running experiment'
            when opted_out.person_id is not null then 'opted out'
            when suppression_ladder.person_id is not null
                then 'suppressed: ' || suppression_ladder.reason
            when
                holders.last_granted_at
                >= {{ window_start(var('incentive_rest_days'), 'day') }} then 'had one recently'
            when active_customers.is_active then 'orders without one'
            when person_purchases.person_id is null then 'never ordered'
        end as excluded_because
    from known
    left join holders
        on known.person_id = holders.person_id
    left join person_purchases
        on known.person_id = person_purchases.person_id
    left join active_customers
        on known.person_id = active_customers.person_id
    left join suppression_ladder
        on known.person_id = suppression_ladder.person_id
    left join opted_out
        on known.person_id = opted_out.person_id
    left join held_out
        on known.person_id = held_out.person_id
),

-- First whoever spent most and no longer orders.
queued as (
    select
        *,
        case
            when excluded_because is null
                then row_number() over (
                    partition by excluded_because
                    order by spent desc nulls last, last_ordered_at asc, person_id asc
                )
        end as queue_number
    from judged
),

final as (
    select
        person_id,
        case
            when incentive_id is not null then 'holds'
            when excluded_because is null then 'next'
            else 'excluded'
        end as incentive_status,
        incentive_id,
        channel,
        case when incentive_id is null then excluded_because end as excluded_because,
        held_since_at,
        held_until_at,
        last_granted_at,
        discounts_given,
        second_grants,
        queue_number
    from queued
)

select * from final
