-- Which arm of which experiment messages belong to, by the ids the company gave for the arm,
-- whenever they are sent. An arm that names no id matches nothing.
-- All of history: the seed of arms may name messages that were sent long ago.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
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

final as (
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
)

select * from final
