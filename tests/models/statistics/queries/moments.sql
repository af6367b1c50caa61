select
    {{ sample_mean('n', 'y') }} as mean,
    {{ sample_variance('n', 'y', 'yy') }} as variance,
    {{ sample_covariance('n', 'x', 'y', 'xy') }} as covariance,
    {{ population_variance('n', 'y', 'yy') }} as population_variance,
    {{ population_covariance('n', 'x', 'y', 'xy') }} as population_covariance,
    {{ third_central_moment('n', 'y', 'yy', 'yyy') }} as third
from (
    select
        count(*) as n, sum(x) as x, sum(y) as y, sum(x * y) as xy, sum(y * y) as yy,
        sum(y * y * y) as yyy
    from arguments
) as sums
