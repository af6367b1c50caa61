with differences as (
    select
        y_t / n_t - y_c / n_c as effect_y,
        d_t / n_t - d_c / n_c as effect_d,
        {{ population_variance('n_t', 'y_t', 'y_t') }} / n_t
        + {{ population_variance('n_c', 'y_c', 'y_c') }} / n_c as variance_y,
        {{ population_variance('n_t', 'd_t', 'd_t') }} / n_t
        + {{ population_variance('n_c', 'd_c', 'd_c') }} / n_c as variance_d,
        {{ population_covariance('n_t', 'y_t', 'd_t', 'yd_t') }} / n_t
        + {{ population_covariance('n_c', 'y_c', 'd_c', 'yd_c') }} / n_c as covariance_yd,
        i
    from arguments
)

select
    effect_y,
    effect_d,
    sqrt(variance_y) as error_y,
    {{ cace('effect_y', 'effect_d') }} as effect,
    {{ cace_standard_error(
        'effect_y', 'effect_d', 'variance_y', 'variance_d', 'covariance_yd'
    ) }} as standard_error,
    {{ cace_is_strong('effect_d', 'variance_d') }} as is_strong
from differences order by i
