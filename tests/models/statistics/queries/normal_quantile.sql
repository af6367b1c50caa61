select
    {{ normal_quantile('p') }} as quantile,
    {{ normal_critical_value() }} as usual,
    {{ normal_critical_value(0.975) }} as unusual
from arguments order by i
