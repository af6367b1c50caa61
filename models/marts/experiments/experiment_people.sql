with assignments as (
    select * from {{ ref('assignments') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_deliveries as (
    select * from {{ ref('int_experiment_deliveries') }}
    where first_event_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

people as (
    select * from {{ ref('people') }}
),

feed_watermarks as (
    select * from {{ ref('int_feed_watermarks') }}
),

-- Outcomes need both feeds: what is not yet loaded of either must not look like nothing happened.
watermark as (
    select case when count(*) = 2 then min(complete_through) end as complete_through
    from feed_watermarks
    where feed in ('messages', 'orders')
),

assigned as (
    select
        experiment_id,
        person_id,
        count(*) as arms,
        min(arm) as arm,
        min(assigned_at) as assigned_at,
        bool_or(is_control) as is_held_out
    from assignments
    group by experiment_id, person_id
),

-- A global holdout has no send to start from: everyone is followed equally long, from its start or
-- from when they came.
indexed as (
    select
        assigned.*,
        experiments.covers,
        experiments.ends_at,
        experiments.window_hours,
        case
            when experiments.kind = 'global'
                then greatest(
                    assigned.assigned_at,
                    experiments.starts_at,
                    coalesce(people.created_at, experiments.starts_at)
                )
            else assigned.assigned_at
        end as index_at
    from assigned
    inner join experiments
        on assigned.experiment_id = experiments.experiment_id
    left join people
        on assigned.person_id = people.person_id
),

timed as (
    select
        *,
        {{ add_hours('index_at', 'window_hours') }} as window_ends_at
    from indexed
),

-- One open window of an experiment that ended is reason to keep everyone out: whoever is let in
-- earlier than the others is compared with people who were not.
ended as (
    select
        experiment_id,
        greatest(ends_at, max(window_ends_at)) as held_out_until
    from timed
    where ends_at is not null
    group by experiment_id, ends_at
),

delivered as (
    select
        timed.experiment_id,
        timed.person_id,
        min(experiment_deliveries.delivered_at) as first_delivered_at,
        count(*) as messages
    from timed
    inner join profile_people
        on timed.person_id = profile_people.person_id
    inner join experiment_deliveries
        on
            timed.experiment_id = experiment_deliveries.experiment_id
            and profile_people.profile_key = experiment_deliveries.profile_key
            and timed.index_at <= experiment_deliveries.first_event_at
            and timed.window_ends_at > experiment_deliveries.first_event_at
    group by timed.experiment_id, timed.person_id
),

final as (
    select
        timed.experiment_id,
        timed.person_id,
        case when timed.arms = 1 then timed.arm end as arm,
        timed.covers,

        timed.index_at,
        timed.window_ends_at,
        case
            when watermark.complete_through is not null
                then least(timed.window_ends_at, watermark.complete_through)
        end as followed_until,
        case when timed.is_held_out then ended.held_out_until end as held_out_until,
        delivered.first_delivered_at,
        coalesce(delivered.messages, 0) as messages,

        timed.is_held_out,
        delivered.first_delivered_at is not null as is_delivered,
        timed.arms > 1 as is_mixed,
        coalesce(timed.window_ends_at <= watermark.complete_through, false) as is_mature
    from timed
    cross join watermark
    left join ended
        on timed.experiment_id = ended.experiment_id
    left join delivered
        on
            timed.experiment_id = delivered.experiment_id
            and timed.person_id = delivered.person_id
)

select * from final
