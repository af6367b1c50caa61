-- What an experiment's messages are: those of its treated arms where ids tell them, and else, for a
-- global holdout or one the warehouse draws, the messages a held-out person must not receive.
-- All of history: the seed of experiments may begin one long ago.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where not is_control
),

experiments as (
    select
        experiment_id,
        starts_at,
        coalesce(nullif(trim(covers), ''), 'none') as covers,
        ' ' || replace(replace(coalesce(covers, ''), ',', ' '), ';', ' ') || ' ' as covered_ids
    from {{ ref('int_experiments') }}
    where kind in ('global', 'warehouse')
),

-- Deliveries differ in few messages; matching those keeps the comparison small.
messages as (
    select
        campaign_id,
        broadcast_id,
        newsletter_id,
        coalesce(campaign_id, broadcast_id, newsletter_id) as message_id
    from deliveries
    where transactional_message_id is null
    group by campaign_id, broadcast_id, newsletter_id
),

covered as (
    select
        experiments.experiment_id,
        experiments.starts_at,
        messages.campaign_id,
        messages.broadcast_id,
        messages.newsletter_id
    from experiments
    inner join messages
        on
            experiments.covers = 'all'
            or strpos(experiments.covered_ids, ' ' || messages.message_id || ' ') > 0
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
    where
        deliveries.transactional_message_id is null
        and deliveries.first_event_at >= covered.starts_at
)

select * from final
