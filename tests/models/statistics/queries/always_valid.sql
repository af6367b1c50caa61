select
    {{ always_valid_half_width('se', 'people', 'planned') }} as half_width,
    {{ always_valid_p('effect', 'se', 'people', 'planned') }} as p_value
from arguments order by i
