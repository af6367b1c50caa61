-- Whether a difference between segments is more than chance (Cochran's Q). Before its p-value no
-- segment is better than another.
with estimates as (
    select * from {{ ref('int_experiment_estimates') }}
    where
        segment <> 'all'
        and method <> 'between_arms'
        and standard_error > 0
        -- A handful of buyers has no standard error that could be believed.
        and least(nonzero_people, control_nonzero_people) >= {{ var('verdict_minimum_converters') }}
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

weighed as (
    select
        estimates.experiment_id,
        estimates.arm,
        estimates.control_arm,
        estimates.metric,
        estimates.window_hours,
        estimates.segment,
        substr(estimates.segment, 1, strpos(estimates.segment, ':') - 1) as dimension,
        estimates.effect,
        1 / power(estimates.standard_error, 2) as weight
    from estimates
    inner join metrics
        on
            estimates.metric = metrics.metric
            and estimates.method = metrics.headline_method
    left join refusals
        on
            estimates.experiment_id = refusals.experiment_id
            and estimates.metric = refusals.metric
    where refusals.experiment_id is null
),

-- Σw(d − d̄)², with the weighted mean taken out of the sum of squares.
summed as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        dimension,
        count(*) as segments,
        {{ sum_in_order('weight', 'segment') }} as weight,
        {{ sum_in_order('weight * effect', 'segment') }} as weighted_effect,
        {{ sum_in_order('weight * effect * effect', 'segment') }} as weighted_square
    from weighed
    group by experiment_id, arm, control_arm, metric, window_hours, dimension
),

tested as (
    select
        *,
        greatest(weighted_square - power(weighted_effect, 2) / nullif(weight, 0), 0) as cochran_q
    from summed
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        dimension,
        segments,
        segments - 1 as degrees_of_freedom,
        weighted_effect / nullif(weight, 0) as pooled_effect,
        cochran_q,
        {{ chi_square_upper_tail('cochran_q', '(segments - 1)') }} as p_value
    from tested
    where segments > 1
)

select * from final
