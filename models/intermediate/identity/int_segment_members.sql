-- Every load lists all segments and reads each one's members, so its newest load says it all: who
-- left, an emptied segment, and a segment that is archived and listed no more.
with feed_loads as (
    select * from {{ ref('stg_customerio__feed_loads') }}
    where feed = 'api_segment_membership' and started_at <= {{ as_of() }}
),

segment_observations as (
    select * from {{ ref('stg_customerio__segment_observations') }}
),

segment_memberships as (
    select * from {{ ref('stg_customerio__segment_memberships') }}
),

segments as (
    select * from {{ ref('stg_customerio__segments') }}
),

newest_load as (
    select max_by(load_id, started_at) as load_id
    from feed_loads
),

observed as (
    select
        segment_observations.segment_id,
        segment_observations.observed_at
    from segment_observations
    inner join newest_load
        on segment_observations.load_id = newest_load.load_id
),

-- A segment is landed again only when something of it changed.
names as (
    select
        segments.segment_id,
        max_by(segments.name, segments.observed_at) as segment_name
    from segments
    inner join observed
        on
            segments.segment_id = observed.segment_id
            and segments.observed_at <= observed.observed_at
    group by segments.segment_id
),

final as (
    select
        segment_memberships.segment_id,
        segment_memberships.profile_key,
        segment_memberships.cio_id,
        segment_memberships.customer_id,
        segment_memberships.email,

        names.segment_name,

        segment_memberships.observed_at
    from segment_memberships
    inner join observed
        on
            segment_memberships.segment_id = observed.segment_id
            and segment_memberships.observed_at = observed.observed_at
    left join names
        on segment_memberships.segment_id = names.segment_id
)

select * from final
