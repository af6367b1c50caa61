with evidence as (
    select * from {{ ref('int_assignment_evidence') }}
),

arms as (
    select
        experiment_id,
        arm,
        is_control
    from {{ ref('experiment_arms') }}
    group by experiment_id, arm, is_control
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

warehouse_assignments as (
    select * from {{ ref('warehouse_assignments') }}
    where assigned_at <= {{ as_of() }}
),

resolved as (
    select
        evidence.experiment_id,
        profile_people.person_id,
        evidence.arm,
        evidence.assigned_at,
        evidence.evidence
    from evidence
    inner join profile_people
        on evidence.profile_key = profile_people.profile_key

    union all

    select
        warehouse_assignments.experiment_id,
        warehouse_assignments.person_id,
        warehouse_assignments.arm,
        warehouse_assignments.assigned_at,
        'drawn' as evidence
    from warehouse_assignments
),

final as (
    select
        resolved.experiment_id,
        resolved.person_id,
        resolved.arm,
        resolved.evidence,
        min(resolved.assigned_at) as assigned_at,
        count(*) as occurrences,
        arms.is_control
    from resolved
    inner join arms
        on
            resolved.experiment_id = arms.experiment_id
            and resolved.arm = arms.arm
    group by
        resolved.experiment_id,
        resolved.person_id,
        resolved.arm,
        resolved.evidence,
        arms.is_control
)

select * from final
