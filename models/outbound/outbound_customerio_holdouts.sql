with assignments as (
    select * from {{ ref('assignments') }}
    where evidence in ('recorded', 'drawn')
),

experiments as (
    select * from {{ ref('experiments') }}
    where kind = 'warehouse'
),

people as (
    select * from {{ ref('people') }}
),

-- Of several arms the one that holds out stands: whoever must not be messaged is not.
ranked as (
    select
        assignments.person_id,
        'holdout_' || assignments.experiment_id as attribute_name,
        assignments.arm,
        assignments.assigned_at,
        row_number() over (
            partition by assignments.experiment_id, assignments.person_id
            order by assignments.is_control desc, assignments.assigned_at asc, assignments.arm asc
        ) as arm_rank
    from assignments
    inner join experiments
        on assignments.experiment_id = experiments.experiment_id
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
