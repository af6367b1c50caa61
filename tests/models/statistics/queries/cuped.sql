with moments as (
    select
        *,
        {% for arm in ['t', 'c'] %}
        {{ sample_mean('n_' ~ arm, 'sum_y_' ~ arm) }} as mean_y_{{ arm }},
        {{ sample_mean('n_' ~ arm, 'sum_x_' ~ arm) }} as mean_x_{{ arm }},
        {{ sample_variance('n_' ~ arm, 'sum_y_' ~ arm, 'sum_yy_' ~ arm) }} as y_{{ arm }},
        {{ sample_variance('n_' ~ arm, 'sum_x_' ~ arm, 'sum_xx_' ~ arm) }} as x_{{ arm }},
        {{ sample_covariance(
            'n_' ~ arm, 'sum_x_' ~ arm, 'sum_y_' ~ arm, 'sum_xy_' ~ arm
        ) }} as xy_{{ arm }},
        {% endfor %}
        {{ cuped_theta(
            'n_t', 'sum_y_t', 'sum_x_t', 'sum_xx_t', 'sum_xy_t',
            'n_c', 'sum_y_c', 'sum_x_c', 'sum_xx_c', 'sum_xy_c'
        ) }} as theta,
        {{ sample_mean(
            both_arms('n_t', 'n_c'), both_arms('sum_x_t', 'sum_x_c')
        ) }} as mean_x,
        {{ sample_covariance(
            both_arms('n_t', 'n_c'), both_arms('sum_x_t', 'sum_x_c'),
            both_arms('sum_y_t', 'sum_y_c'), both_arms('sum_xy_t', 'sum_xy_c')
        ) }} / nullif(sqrt({{ sample_variance(
            both_arms('n_t', 'n_c'), both_arms('sum_x_t', 'sum_x_c'),
            both_arms('sum_xx_t', 'sum_xx_c')
        ) }} * {{ sample_variance(
            both_arms('n_t', 'n_c'), both_arms('sum_y_t', 'sum_y_c'),
            both_arms('sum_yy_t', 'sum_yy_c')
        ) }}), 0) as correlation
    from arguments
),

adjusted as (
    select
        *,
        mean_y_t - theta * (mean_x_t - mean_x) as adjusted_t,
        mean_y_c - theta * (mean_x_c - mean_x) as adjusted_c,
        {{ cuped_effect('mean_y_t', 'mean_x_t', 'mean_y_c', 'mean_x_c', 'theta') }}
            as effect,
        {{ cuped_variance('y_t', 'x_t', 'xy_t', 'theta') }} as variance_t,
        {{ cuped_variance('y_c', 'x_c', 'xy_c', 'theta') }} as variance_c,
        {{ cuped_standard_error(
            'n_t', 'y_t', 'x_t', 'xy_t', 'n_c', 'y_c', 'x_c', 'xy_c', 'theta'
        ) }} as standard_error
    from moments
),

tested as (
    select
        *,
        {{ welch_degrees_of_freedom('variance_t', 'n_t', 'variance_c', 'n_c') }}
            as degrees_of_freedom
    from adjusted
),

{{ t_inference('answers', 'tested') }}

select * from answers order by i
