-- Intention-to-treat: everyone who was due a message and whose window is over, in the arm they
-- were assigned, whatever became of the message. A person seen in two arms is in neither. What
-- cannot be known of a person, or is not about them, is null and leaves them out of its metric.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed
),

order_outcomes as (
    select * from {{ ref('experiment_order_outcomes') }}
),

experiment_contacts as (
    select * from {{ ref('experiment_contacts') }}
),

strata as (
    select * from {{ ref('experiment_strata') }}
),

watermark as (
    select max(complete_through) as visits_through
    from {{ ref('int_feed_watermarks') }}
    where feed = 'mparticle'
),

final as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        experiment_people.arm,
        experiment_people.index_at,
        experiment_people.window_ends_at,
        order_outcomes.currency,

        strata.tenure_before,
        strata.purchases_before,
        strata.fatigue_before,

        order_outcomes.orders,
        order_outcomes.revenue,
        order_outcomes.settled_revenue,
        order_outcomes.refunded_amount,
        order_outcomes.net_revenue,
        order_outcomes.margin,
        coalesce(experiment_contacts.messages_received, 0) as messages_received,
        order_outcomes.pre_period_orders,
        order_outcomes.pre_period_revenue,

        experiment_people.is_delivered,
        order_outcomes.is_converted,
        order_outcomes.has_ordered_again_30d,
        case
            when experiment_people.window_ends_at <= watermark.visits_through
                then coalesce(experiment_contacts.has_visited, false)
        end as has_visited,
        coalesce(experiment_contacts.has_unsubscribed, false) as has_unsubscribed,
        coalesce(experiment_contacts.has_complained, false) as has_complained
    from experiment_people
    cross join watermark
    inner join order_outcomes
        on
            experiment_people.experiment_id = order_outcomes.experiment_id
            and experiment_people.person_id = order_outcomes.person_id
    inner join strata
        on
            experiment_people.experiment_id = strata.experiment_id
            and experiment_people.person_id = strata.person_id
    left join experiment_contacts
        on
            experiment_people.experiment_id = experiment_contacts.experiment_id
            and experiment_people.person_id = experiment_contacts.person_id
)

select * from final
