-- Which arm of which experiment a delivery belongs to, by the ids the company gave for the arm. An
-- arm that names no id matches nothing.
-- All of history: the seed of arms may name messages that were sent long ago.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

arms as (
    select * from {{ ref('experiment_arms') }}
    -- The path of a branch is told by steps of journeys, not by messages.
    where
        branch_index is null
        and (
            campaign_id is not null
            or parent_action_id is not null
            or action_id is not null
            or content_id is not null
        )
),

-- Deliveries differ in few combinations of ids; matching those keeps the comparison small.
combinations as (
    select
        campaign_id,
        parent_action_id,
        action_id,
        content_id
    from deliveries
    group by campaign_id, parent_action_id, action_id, content_id
),

matches as (
    select
        combinations.campaign_id,
        combinations.parent_action_id,
        combinations.action_id,
        combinations.content_id,
        arms.experiment_id,
        arms.arm,
        arms.is_control
    from combinations
    inner join arms
        on
            (arms.campaign_id is null or combinations.campaign_id = arms.campaign_id)
            and (
                arms.parent_action_id is null
                or combinations.parent_action_id = arms.parent_action_id
                -- exports leave the parent out, and an action has one
                or (combinations.parent_action_id is null and arms.action_id is not null)
            )
            and (arms.action_id is null or combinations.action_id = arms.action_id)
            and (arms.content_id is null or combinations.content_id = arms.content_id)
    group by
        combinations.campaign_id,
        combinations.parent_action_id,
        combinations.action_id,
        combinations.content_id,
        arms.experiment_id,
        arms.arm,
        arms.is_control
),

final as (
    select
        deliveries.delivery_id,
        matches.experiment_id,
        matches.arm,
        deliveries.profile_key,
        deliveries.first_event_at,
        deliveries.sent_at,
        -- Push and in-app messages are never reported as delivered.
        deliveries.exposed_at as delivered_at,
        matches.is_control
    from deliveries
    inner join matches
        on
            coalesce(deliveries.campaign_id, '') = coalesce(matches.campaign_id, '')
            and coalesce(deliveries.parent_action_id, '') = coalesce(matches.parent_action_id, '')
            and coalesce(deliveries.action_id, '') = coalesce(matches.action_id, '')
            and coalesce(deliveries.content_id, '') = coalesce(matches.content_id, '')
    inner join experiments
        on matches.experiment_id = experiments.experiment_id
    where
        deliveries.first_event_at >= experiments.starts_at
        and deliveries.first_event_at < coalesce(
            experiments.ends_at, cast('9999-12-31' as timestamp)
        )
)

select * from final
