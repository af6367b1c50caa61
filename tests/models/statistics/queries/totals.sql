with {{ t_inference('tested', 'arguments') }}

select
    {{ incremental_total('effect', 'people') }} as total,
    {{ incremental_total('ci_low', 'people') }} as total_low,
    {{ incremental_total('ci_high', 'people') }} as total_high,
    {{ people_for_one_more('effect') }} as people_for_one_more,
    {{ incremental_share('effect', 'mean') }} as share,
    {{ chance_it_helps('effect', 'p_value', 'better') }} as chance
from tested order by i
