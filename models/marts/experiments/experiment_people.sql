with assignments as (
    select * from {{ ref('assignments') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

delivery_arms as (
    select * from {{ ref('int_delivery_arms') }}
    where not is_control and first_event_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

feed_watermarks as (
    select * from {{ ref('int_feed_watermarks') }}
),

-- Outcomes need both feeds: what is not yet loaded of either must not look like nothing happened.
watermark as (
    select case when count(*) = 2 then min(complete_through) end as complete_through
    from feed_watermarks
    where feed in ('webhooks', 'orders')
),

people as (
    select
        experiment_id,
        person_id,
        count(*) as arms,
        min(arm) as arm,
        min(assigned_at) as index_at,
        bool_or(is_control) as is_held_out
    from assignments
    group by experiment_id, person_id
),

delivered as (
    select
        delivery_arms.experiment_id,
        profile_people.person_id,
        min(delivery_arms.delivered_at) as first_delivered_at,
        count(*) as messages
    from delivery_arms
    inner join profile_people
        on delivery_arms.profile_key = profile_people.profile_key
    group by delivery_arms.experiment_id, profile_people.person_id
),

timed as (
    select
        people.*,
        experiments.covers,
        {{ add_hours('people.index_at', 'experiments.window_hours') }} as window_ends_at
    from people
    inner join experiments
        on people.experiment_id = experiments.experiment_id
),

final as (
    select
        timed.experiment_id,
        timed.person_id,
        case when timed.arms = 1 then timed.arm end as arm,
        timed.covers,

        timed.index_at,
        timed.window_ends_at,
        delivered.first_delivered_at,
        coalesce(delivered.messages, 0) as messages,

        timed.is_held_out,
        delivered.first_delivered_at is not null as is_delivered,
        timed.arms > 1 as is_mixed,
        coalesce(timed.window_ends_at <= watermark.complete_through, false) as is_mature
    from timed
    cross join watermark
    left join delivered
        on
            timed.experiment_id = delivered.experiment_id
            and timed.person_id = delivered.person_id
)

select * from final
