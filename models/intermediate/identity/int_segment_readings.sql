-- Every load lists all segments, so its newest load says which there are: an archived one is listed
-- no more.
with feed_loads as (
    select * from {{ ref('stg_customerio__feed_loads') }}
    where feed = 'api_segment_membership' and started_at <= {{ as_of() }}
),

segment_observations as (
    select * from {{ ref('stg_customerio__segment_observations') }}
),

newest_load as (
    select max_by(load_id, started_at) as load_id
    from feed_loads
),

listed as (
    select segment_observations.segment_id
    from segment_observations
    inner join newest_load
        on segment_observations.load_id = newest_load.load_id
    group by segment_observations.segment_id
),

final as (
    select
        segment_observations.segment_id,
        segment_observations.observed_at,
        lead(segment_observations.observed_at) over (
            partition by segment_observations.segment_id
            order by segment_observations.observed_at
        ) as next_observed_at,
        row_number() over (
            partition by segment_observations.segment_id
            order by segment_observations.observed_at
        ) as reading_number
    from segment_observations
    inner join feed_loads
        on segment_observations.load_id = feed_loads.load_id
    inner join listed
        on segment_observations.segment_id = listed.segment_id
)

select * from final
