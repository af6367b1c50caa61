with experiments as (
    select * from {{ ref('experiments') }}
),

final as (
    select
        experiment_id,
        coalesce(label, experiment_id) as label,
        kind,
        starts_at,
        ends_at,
        window_hours,
        primary_metric,
        holdout_share,
        covers,
        owner
    from experiments
)

select * from final
