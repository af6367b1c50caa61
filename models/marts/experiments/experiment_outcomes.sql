-- Intention-to-treat: everyone who was due a message and whose window is over, in the arm they
-- were assigned, whatever became of the message. A person seen in two arms is in neither.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where is_mature and not is_mixed
),

orders as (
    select * from {{ ref('orders') }}
    where not is_cancelled and person_id is not null
),

final as (
    select
        experiment_people.experiment_id,
        experiment_people.person_id,
        experiment_people.arm,
        experiment_people.index_at,
        count(orders.order_id) as orders,
        cast(coalesce(sum(orders.total_amount), 0) as decimal(18, 4)) as revenue,
        cast(coalesce(sum(orders.net_amount), 0) as decimal(18, 4)) as net_revenue,
        experiment_people.is_delivered,
        count(orders.order_id) > 0 as is_converted
    from experiment_people
    left join orders
        on
            experiment_people.person_id = orders.person_id
            and experiment_people.index_at <= orders.ordered_at
            and experiment_people.window_ends_at > orders.ordered_at
    group by
        experiment_people.experiment_id,
        experiment_people.person_id,
        experiment_people.arm,
        experiment_people.index_at,
        experiment_people.is_delivered
)

select * from final
