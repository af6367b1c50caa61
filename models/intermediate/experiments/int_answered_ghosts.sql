-- Who opens or clicks a trapped message received it: then nothing trapped it, or the ids given for
-- the holdout are those of another message.
-- All of history: the seed of arms may name a holdout of any year; what is read are its messages.
with delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where is_control
),

deliveries as (
    select * from {{ ref('int_deliveries') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

answers as (
    select
        delivery_arms.experiment_id,
        delivery_arms.profile_key,
        least(
            deliveries.first_human_opened_at,
            deliveries.first_human_clicked_at,
            deliveries.unsubscribed_at,
            deliveries.spammed_at
        ) as answered_at
    from delivery_arms
    inner join deliveries
        on delivery_arms.delivery_id = deliveries.delivery_id
),

final as (
    select
        answers.experiment_id,
        profile_people.person_id,
        min(answers.answered_at) as answered_at
    from answers
    inner join profile_people
        on answers.profile_key = profile_people.profile_key
    where answers.answered_at <= {{ as_of() }}
    group by answers.experiment_id, profile_people.person_id
)

select * from final
