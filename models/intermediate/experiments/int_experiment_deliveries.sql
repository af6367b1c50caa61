-- What an experiment's messages are: those of its treated arms where ids tell them, and whatever
-- else it covers, which a held-out person must not receive. They are the same for either arm.
-- All of history: the seed of experiments may begin one long ago.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where not is_control
),

-- A trap stays one when nobody is assigned any more.
traps as (
    select * from {{ ref('int_arm_messages') }}
    where is_control
),

ghost_deliveries as (
    select * from {{ ref('int_ghost_deliveries') }}
),

channels as (
    select * from {{ ref('channels') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_covers as (
    select * from {{ ref('int_experiment_covers') }}
),

-- Deliveries differ in few messages; matching those keeps the comparison small.
messages as (
    select
        campaign_id,
        broadcast_id,
        newsletter_id,
        parent_action_id,
        action_id,
        content_id,
        object_type,
        coalesce(campaign_id, broadcast_id, newsletter_id) as message_id
    from deliveries
    where transactional_message_id is null
    group by
        campaign_id, broadcast_id, newsletter_id, parent_action_id, action_id, content_id,
        object_type
),

-- A webhook of a covered campaign reaches nobody: it may be how a trap is told of.
covered as (
    select
        experiments.experiment_id,
        experiments.starts_at,
        messages.*
    from experiments
    inner join experiment_covers
        on experiments.experiment_id = experiment_covers.experiment_id
    inner join messages
        on experiment_covers.covered in ('all', messages.message_id)
    left join channels
        on messages.object_type = channels.object_type
    left join traps
        on
            experiments.experiment_id = traps.experiment_id
            and coalesce(messages.campaign_id, '') = coalesce(traps.campaign_id, '')
            and coalesce(messages.parent_action_id, '') = coalesce(traps.parent_action_id, '')
            and coalesce(messages.action_id, '') = coalesce(traps.action_id, '')
            and coalesce(messages.content_id, '') = coalesce(traps.content_id, '')
    where
        traps.experiment_id is null
        and coalesce(channels.is_person_message, true)
),

final as (
    select
        experiment_id,
        delivery_id,
        profile_key,
        first_event_at,
        delivered_at
    from delivery_arms

    -- A message of an arm may be covered as well, and is one message: `union`, not `union all`.
    union

    select
        covered.experiment_id,
        deliveries.delivery_id,
        deliveries.profile_key,
        deliveries.first_event_at,
        deliveries.exposed_at as delivered_at
    from deliveries
    inner join covered
        on
            coalesce(deliveries.campaign_id, '') = coalesce(covered.campaign_id, '')
            and coalesce(deliveries.broadcast_id, '') = coalesce(covered.broadcast_id, '')
            and coalesce(deliveries.newsletter_id, '') = coalesce(covered.newsletter_id, '')
            and coalesce(deliveries.parent_action_id, '') = coalesce(covered.parent_action_id, '')
            and coalesce(deliveries.action_id, '') = coalesce(covered.action_id, '')
            and coalesce(deliveries.content_id, '') = coalesce(covered.content_id, '')
            and coalesce(deliveries.object_type, '') = coalesce(covered.object_type, '')
    left join ghost_deliveries
        on deliveries.delivery_id = ghost_deliveries.delivery_id
    where
        deliveries.transactional_message_id is null
        and deliveries.first_event_at >= covered.starts_at
        and ghost_deliveries.delivery_id is null
)

select * from final
