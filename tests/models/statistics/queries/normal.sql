select
    {{ normal_upper_tail('x') }} as upper_tail,
    {{ normal_cdf('x') }} as cdf,
    {{ normal_two_sided_p('x') }} as two_sided,
    {{ normal_density('x') }} as density
from arguments order by i
