{{ config(materialized='view') }}

with assignments as (
    select * from {{ ref('assignments') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

people as (
    select * from {{ ref('people') }}
),

assigned as (
    select
        experiment_id,
        person_id,
        case when count(*) = 1 then min(arm) end as arm,
        min(assigned_at) as assigned_at,
        bool_or(is_control) as is_held_out,
        count(*) > 1 as is_mixed
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

final as (
    select
        experiment_id,
        person_id,
        arm,
        covers,

        ends_at,
        index_at,
        {{ add_hours('index_at', 'window_hours') }} as window_ends_at,

        is_held_out,
        is_mixed
    from indexed
)

select * from final
