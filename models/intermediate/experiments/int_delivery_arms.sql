-- Which arm of which experiment a delivery belongs to, while the experiment runs.
-- All of history: the seed of arms may name messages that were sent long ago.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

arm_messages as (
    select * from {{ ref('int_arm_messages') }}
),

final as (
    select
        deliveries.delivery_id,
        arm_messages.experiment_id,
        arm_messages.arm,
        deliveries.profile_key,
        deliveries.first_event_at,
        deliveries.sent_at,
        -- Push and in-app messages are never reported as delivered.
        deliveries.exposed_at as delivered_at,
        arm_messages.is_control
    from deliveries
    inner join arm_messages
        on
            coalesce(deliveries.campaign_id, '') = coalesce(arm_messages.campaign_id, '')
            and coalesce(deliveries.parent_action_id, '')
            = coalesce(arm_messages.parent_action_id, '')
            and coalesce(deliveries.action_id, '') = coalesce(arm_messages.action_id, '')
            and coalesce(deliveries.content_id, '') = coalesce(arm_messages.content_id, '')
    inner join experiments
        on arm_messages.experiment_id = experiments.experiment_id
    where
        deliveries.first_event_at >= experiments.starts_at
        and deliveries.first_event_at < coalesce(
            experiments.ends_at, cast('9999-12-31' as timestamp)
        )
)

select * from final
