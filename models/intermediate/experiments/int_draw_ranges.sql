{{ config(materialized='view') }}

-- The lowest of 10,000 buckets are held out; the others go to the other arms by name, as large as
-- planned. Where the company recorded who is in which arm, nobody else draws.
with experiments as (
    select * from {{ ref('int_experiments') }}
),

arms as (
    select * from {{ ref('int_experiment_arms') }}
    where is_drawn
),

recorded_experiments as (
    select experiment_id
    from {{ ref('stg_experiments__assignments') }}
    where assigned_at is null or assigned_at <= {{ as_of() }}
    group by experiment_id
),

shared as (
    select
        arms.experiment_id,
        arms.arm,
        arms.is_control,
        cast(round(experiments.holdout_share * 10000) as bigint) as held_out_buckets,
        sum(case when arms.is_control then 0 else arms.planned_share end) over (
            partition by arms.experiment_id order by arms.is_control desc, arms.arm asc
            rows between unbounded preceding and current row
        ) as share_so_far,
        sum(case when arms.is_control then 0 else arms.planned_share end) over (
            partition by arms.experiment_id
        ) as share_of_all
    from arms
    inner join experiments
        on arms.experiment_id = experiments.experiment_id
    left join recorded_experiments
        on arms.experiment_id = recorded_experiments.experiment_id
    where recorded_experiments.experiment_id is null
),

-- A hundred-thousandth of a bucket is no bucket: sums of shares are not exact.
bounded as (
    select
        *,
        held_out_buckets + cast(
            ceil((10000 - held_out_buckets) * share_so_far / nullif(share_of_all, 0) - 1e-5)
            as bigint
        ) as end_bucket
    from shared
),

final as (
    select
        experiment_id,
        arm,
        coalesce(
            lag(end_bucket) over (partition by experiment_id order by is_control desc, arm asc), 0
        ) as first_bucket,
        end_bucket,
        is_control
    from bounded
)

select * from final
