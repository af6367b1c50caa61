-- Lands when the build is published; from then on it stands. Until an experiment starts it may
-- still be planned otherwise.
with warehouse_assignments as (
    select * from {{ ref('warehouse_assignments') }}
    where not is_drawn_earlier and assigned_at <= {{ as_of() }}
),

final as (
    select
        experiment_id,
        person_id,
        drawn_as as first_person_id,
        arm,
        known_at,
        {{ as_of() }} as drawn_at,
        '{{ invocation_id }}' as build_id
    from warehouse_assignments
)

select * from final
