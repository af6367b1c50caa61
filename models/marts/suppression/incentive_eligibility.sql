with person_incentives as (
    select * from {{ ref('person_incentives') }}
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

-- A `union`, because most who hold one have ordered as well.
known as (
    select person_id from person_purchases
    union
    select person_id from person_incentives
),

final as (
    select
        known.person_id,
        person_incentives.incentive_id,
        person_incentives.channel,
        person_incentives.held_since_at,
        person_incentives.held_until_at,
        person_incentives.last_granted_at,
        coalesce(person_incentives.discounts_given, 0) as discounts_given,
        coalesce(person_incentives.second_grants, 0) as second_grants,
        person_purchases.last_ordered_at,
        cast(person_purchases.orders * person_purchases.average_order_value as double) as spent,
        case
            when person_incentives.incentive_id is not null then 'holds one'
            when held_out.person_id is not null then 'held out of a running experiment'
            when opted_out.person_id is not null then 'opted out'
            when suppression_ladder.person_id is not null
                then 'suppressed: ' || suppression_ladder.reason
            when
                person_incentives.last_granted_at
                >= {{ window_start(var('incentive_rest_days'), 'day') }} then 'had one recently'
            when active_customers.is_active then 'orders without one'
            when person_purchases.person_id is null then 'never ordered'
        end as excluded_because
    from known
    left join person_incentives
        on known.person_id = person_incentives.person_id
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
)

select * from final
