with experiment_windows as (
    select * from {{ ref('experiment_windows') }}
),

experiment_deliveries as (
    select * from {{ ref('int_experiment_deliveries') }}
    where first_event_at <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- Outcomes need both feeds: what is not yet loaded of either must not look like nothing happened.
watermark as (
    select case when count(*) = 2 then min(complete_through) end as complete_through
    from {{ ref('int_feed_watermarks') }}
    where feed in ('messages', 'orders')
),

-- One open window of an experiment that ended is reason to keep everyone out: whoever is let in
-- earlier than the others is compared with people who were not.
ended as (
    select
        experiment_id,
        greatest(ends_at, max(window_ends_at)) as held_out_until
    from experiment_windows
    where ends_at is not null
    group by experiment_id, ends_at
),

delivered as (
    select
        experiment_windows.experiment_id,
        experiment_windows.person_id,
        min(experiment_deliveries.delivered_at) as first_delivered_at,
        count(*) as messages
    from experiment_windows
    inner join profile_people
        on experiment_windows.person_id = profile_people.person_id
    inner join experiment_deliveries
        on
            experiment_windows.experiment_id = experiment_deliveries.experiment_id
            and profile_people.profile_key = experiment_deliveries.profile_key
            and experiment_windows.index_at <= experiment_deliveries.first_event_at
            and experiment_windows.window_ends_at > experiment_deliveries.first_event_at
    group by experiment_windows.experiment_id, experiment_windows.person_id
),

final as (
    select
        experiment_windows.experiment_id,
        experiment_windows.person_id,
        experiment_windows.arm,
        experiment_windows.covers,

        experiment_windows.index_at,
        experiment_windows.window_ends_at,
        case
            when watermark.complete_through is not null
                then least(experiment_windows.window_ends_at, watermark.complete_through)
        end as followed_until,
        case when experiment_windows.is_held_out then ended.held_out_until end as held_out_until,
        delivered.first_delivered_at,
        coalesce(delivered.messages, 0) as messages,

        experiment_windows.is_held_out,
        delivered.first_delivered_at is not null as is_delivered,
        experiment_windows.is_mixed,
        coalesce(experiment_windows.window_ends_at <= watermark.complete_through, false)
            as is_mature
    from experiment_windows
    cross join watermark
    left join ended
        on experiment_windows.experiment_id = ended.experiment_id
    left join delivered
        on
            experiment_windows.experiment_id = delivered.experiment_id
            and experiment_windows.person_id = delivered.person_id
)

select * from final
