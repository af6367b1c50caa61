-- Whom the warehouse draws is told ahead of the start: a message of its first hour would reach who
-- is held out.
with assignments as (
    select * from {{ ref('assignments') }}
    where evidence in ('recorded', 'drawn')
),

warehouse_assignments as (
    select * from {{ ref('warehouse_assignments') }}
    where assigned_at > {{ as_of() }}
),

experiments as (
    select * from {{ ref('experiments') }}
    where kind = 'warehouse'
),

people as (
    select * from {{ ref('people') }}
),

told as (
    select
        experiment_id,
        person_id,
        arm,
        assigned_at,
        is_control
    from assignments

    union all

    select
        experiment_id,
        person_id,
        arm,
        assigned_at,
        is_control
    from warehouse_assignments
),

-- Of several arms the one that holds out stands: whoever must not be messaged is not.
ranked as (
    select
        told.person_id,
        'holdout_' || told.experiment_id as attribute_name,
        told.arm,
        told.assigned_at,
        row_number() over (
            partition by told.experiment_id, told.person_id
            order by told.is_control desc, told.assigned_at asc, told.arm asc
        ) as arm_rank
    from told
    inner join experiments
        on told.experiment_id = experiments.experiment_id
),

grouped as (
    select
        person_id,
        {{ json_collect('attribute_name', 'arm') }} as payload,
        min(assigned_at) as assigned_at
    from ranked
    where arm_rank = 1
    group by person_id
),

final as (
    select
        md5(grouped.person_id) as record_key,
        grouped.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        {{ customerio_profile_key('people.cio_id', 'people.customer_id', 'people.email') }}
            as profile_key,
        grouped.assigned_at as occurred_at,
        '' as label,
        grouped.payload,
        md5(grouped.payload) as fingerprint
    from grouped
    inner join people
        on grouped.person_id = people.person_id
)

select * from final
