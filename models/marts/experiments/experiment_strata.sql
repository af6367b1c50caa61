-- Who people of an experiment were before it touched them: nothing at or after the index counts.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where not is_mixed
),

experiment_purchases as (
    select * from {{ ref('experiment_purchases') }}
),

experiment_contacts as (
    select * from {{ ref('experiment_contacts') }}
),

people as (
    select * from {{ ref('people') }}
),

final as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        experiment_people.arm,

        case
            when people.created_at is null then 'unknown'
            when people.created_at > {{ add_hours('experiment_people.index_at', -720) }}
                then 'under 30 days'
            when people.created_at > {{ add_hours('experiment_people.index_at', -8760) }}
                then '30 days to a year'
            else 'over a year'
        end as tenure_before,
        case coalesce(experiment_purchases.orders_before, 0)
            when 0 then 'none' when 1 then 'one' else 'several'
        end as purchases_before,
        case
            when coalesce(experiment_contacts.messages_before_14d, 0) = 0 then 'rested'
            when experiment_contacts.clicks_before_14d > 0 then 'responsive'
            when experiment_contacts.messages_before_14d < {{ var('fatigue_risk_messages') }}
                then 'quiet'
            else 'fatigued'
        end as fatigue_before,

        experiment_people.is_held_out
    from experiment_people
    left join people
        on experiment_people.person_id = people.person_id
    left join experiment_purchases
        on
            experiment_people.experiment_id = experiment_purchases.experiment_id
            and experiment_people.person_id = experiment_purchases.person_id
    left join experiment_contacts
        on
            experiment_people.experiment_id = experiment_contacts.experiment_id
            and experiment_people.person_id = experiment_contacts.person_id
)

select * from final
