select
    {{ hall_low('effect', 'standard_error', 'kappa') }} as ci_low,
    {{ hall_high('effect', 'standard_error', 'kappa') }} as ci_high
from arguments order by i
