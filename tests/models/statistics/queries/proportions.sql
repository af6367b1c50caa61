select
    {{ wilson_low('x_t', 'n_t') }} as wilson_low,
    {{ wilson_high('x_t', 'n_t') }} as wilson_high,
    {{ newcombe_low('x_t', 'n_t', 'x_c', 'n_c') }} as low,
    {{ newcombe_high('x_t', 'n_t', 'x_c', 'n_c') }} as high,
    (x_t / n_t - x_c / n_c)
    / {{ pooled_proportion_standard_error('x_t', 'n_t', 'x_c', 'n_c') }} as z
from arguments order by i
