-- Which arm of which experiment a profile was put in, by the segment of Customer.io's that tells
-- it. Nobody knows when somebody entered a segment, only which reading saw them in it first.
-- Segments that were read at different times would have arms that start at different times, so a
-- reading counts when it is of a segment of each arm, and all of it has one instant. First sight
-- needs all readings that count; of members only those of segments named here are looked at: 7 s
-- for 50 million.
with arm_segments as (
    select
        experiment_id,
        arm,
        is_control,
        trim(segment_id) as segment_id
    from {{ ref('experiment_arms') }}
    where segment_id is not null
    group by experiment_id, arm, is_control, trim(segment_id)
),

-- Who is in a segment is in an arm; that a message of a campaign was due it does not say.
experiments as (
    select * from {{ ref('int_experiments') }}
    where kind in ('global', 'warehouse')
),

segment_observations as (
    select * from {{ ref('stg_customerio__segment_observations') }}
    where observed_at <= {{ as_of() }}
),

segment_memberships as (
    select * from {{ ref('stg_customerio__segment_memberships') }}
    where observed_at <= {{ as_of() }}
),

needed as (
    select
        experiment_id,
        count(distinct arm) as arms
    from arm_segments
    group by experiment_id
),

read_together as (
    select
        arm_segments.experiment_id,
        segment_observations.load_id,
        count(distinct arm_segments.arm) as arms,
        min(segment_observations.observed_at) as read_at,
        bool_or(arm_segments.is_control) as has_control
    from segment_observations
    inner join arm_segments
        on segment_observations.segment_id = arm_segments.segment_id
    group by arm_segments.experiment_id, segment_observations.load_id
),

readings as (
    select
        read_together.experiment_id,
        read_together.load_id,
        read_together.read_at,
        read_together.has_control,
        experiments.starts_at,
        read_together.arms = needed.arms as is_whole,
        bool_or(read_together.arms = needed.arms) over (
            partition by read_together.experiment_id
        ) as is_ever_whole
    from read_together
    inner join needed
        on read_together.experiment_id = needed.experiment_id
    inner join experiments
        on read_together.experiment_id = experiments.experiment_id
    where read_together.read_at < coalesce(experiments.ends_at, cast('9999-12-31' as timestamp))
),

-- Where no reading is of all arms there is nothing to compare, and whoever is held out is so still.
dated as (
    select
        *,
        max(case when read_at <= starts_at then read_at end) over (
            partition by experiment_id
        ) as in_force_from
    from readings
    where is_whole or (has_control and not is_ever_whole)
),

-- Of the readings before the start only the last says who was in it then.
counted as (
    select
        dated.experiment_id,
        dated.load_id,
        arm_segments.arm,
        arm_segments.segment_id,
        greatest(dated.read_at, dated.starts_at) as assigned_at
    from dated
    inner join arm_segments
        on
            dated.experiment_id = arm_segments.experiment_id
            and (dated.is_ever_whole or arm_segments.is_control)
    where dated.read_at > dated.starts_at or dated.read_at = dated.in_force_from
),

final as (
    select
        counted.experiment_id,
        counted.arm,
        segment_memberships.profile_key,
        min(counted.assigned_at) as assigned_at
    from segment_memberships
    inner join counted
        on
            segment_memberships.segment_id = counted.segment_id
            and segment_memberships.load_id = counted.load_id
    where segment_memberships.profile_key is not null
    group by counted.experiment_id, counted.arm, segment_memberships.profile_key
)

select * from final
