{%- set carried = [
    'people', 'delivered_people', 'nonzero_people', 'sum_y', 'sum_yy', 'sum_yyy', 'sum_yd',
    'sum_x', 'sum_xx', 'sum_xy', 'sum_per', 'sum_per_per', 'sum_y_per', 'mean', 'mean_x',
    'delivered', 'ratio', 'variance', 'variance_x', 'covariance', 'third_moment',
    'cace_variance_y', 'cace_variance_d', 'cace_covariance', 'ratio_variance',
] -%}
-- The moments of both arms and the plain difference of their means.
with comparisons as (
    select * from {{ ref('int_experiment_comparisons') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

moments as (
    select
        comparisons.*,
        metrics.kind,
        metrics.headline_method,
        {{ experiment_moments('t') }},
        {{ experiment_moments('c') }},
        {{ cuped_theta(
            'people_t', 'sum_y_t', 'sum_x_t', 'sum_xx_t', 'sum_xy_t',
            'people_c', 'sum_y_c', 'sum_x_c', 'sum_xx_c', 'sum_xy_c'
        ) }} as theta
    from comparisons
    inner join metrics
        on comparisons.metric = metrics.metric
),

final as (
    select
        experiment_id,
        arm,
        control_arm,
        metric,
        window_hours,
        segment,
        comparison,
        kind,
        headline_method,
        {%- for name in carried %}
        {{ name }}_t,
        {{ name }}_c,
        {%- endfor %}
        theta,
        mean_t - mean_c as effect,
        delivered_t - delivered_c as effect_d,
        {{ welch_standard_error('variance_t', 'people_t', 'variance_c', 'people_c') }}
            as standard_error,
        {{ welch_degrees_of_freedom('variance_t', 'people_t', 'variance_c', 'people_c') }}
            as degrees_of_freedom,
        {{ sample_mean('people_t', 'variance_t') }} as variance_of_mean_t,
        {{ sample_mean('people_c', 'variance_c') }} as variance_of_mean_c,
        {{ cuped_effect('mean_t', 'mean_x_t', 'mean_c', 'mean_x_c', 'theta') }} as cuped_effect,
        {{ cuped_variance('variance_t', 'variance_x_t', 'covariance_t', 'theta') }}
            as cuped_variance_t,
        {{ cuped_variance('variance_c', 'variance_x_c', 'covariance_c', 'theta') }}
            as cuped_variance_c,
        {{ over_people('cace_variance_y') }} as cace_variance_y,
        {{ over_people('cace_variance_d') }} as cace_variance_d,
        {{ over_people('cace_covariance') }} as cace_covariance
    from moments
)

select * from final
