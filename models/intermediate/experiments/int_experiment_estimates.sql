{%- set hall = ('effect', 'standard_error', 'kappa') -%}
{%- set counts = ('sum_y_t', 'people_t', 'sum_y_c', 'people_c') -%}
{%- set planned = var('planned_people') -%}
-- One row an estimate, tested, before anything is said about whether it may be believed.
with effects as (
    select * from {{ ref('int_experiment_effects') }}
),

{{ t_inference('tested', 'effects') }},

{{ relative_results('related', 'tested') }},

pooled as (
    select
        *,
        people_t + people_c as both_people,
        {{ hall_statistic(*hall) }} as hall_statistic,
        effect / nullif({{ pooled_proportion_standard_error(*counts) }}, 0) as pooled_statistic
    from related
),

bounded as (
    select
        *,
        {{ always_valid_half_width('standard_error', 'both_people', planned) }} as half_width,
        case method
            when 'hall' then {{ normal_two_sided_p('hall_statistic') }}
            when 'newcombe' then {{ normal_two_sided_p('pooled_statistic') }}
            when 'always_valid'
                then {{ always_valid_p('effect', 'standard_error', 'both_people', planned) }}
            else p_value
        end as method_p_value
    from pooled
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        segment,
        case when comparison = 'arms' then 'between_arms' else method end as method,
        method as estimator,
        people_t as people,
        people_c as control_people,
        nonzero_people_t as nonzero_people,
        nonzero_people_c as control_nonzero_people,
        mean_t as mean,
        mean_c as control_mean,
        effect,
        standard_error,
        case method
            when 'hall' then {{ hall_low(*hall) }}
            when 'newcombe' then {{ newcombe_low(*counts) }}
            when 'always_valid' then effect - half_width
            else ci_low
        end as ci_low,
        case method
            when 'hall' then {{ hall_high(*hall) }}
            when 'newcombe' then {{ newcombe_high(*counts) }}
            when 'always_valid' then effect + half_width
            else ci_high
        end as ci_high,
        method_p_value as p_value,
        case
            when method in ('cuped', 'post_stratified')
                then {{ relative_effect('effect + mean_c', 'mean_c') }}
            when method <> 'cace' then relative_effect
        end as relative_effect,
        case when method <> 'always_valid' then relative_ci_low end as relative_ci_low,
        case when method <> 'always_valid' then relative_ci_high end as relative_ci_high
    from bounded
)

select * from final
