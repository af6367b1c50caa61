with ranked as (
    select
        *,
        {{ p_value_rank('p', 'family') }} as position,
        {{ p_value_count('p', 'family') }} as tests
    from arguments
),

adjusted as (
    select
        i,
        {{ benjamini_hochberg('p', 'position', 'tests', 'family') }} as benjamini_hochberg,
        {{ holm('p', 'position', 'tests', 'family') }} as holm
    from ranked
)

select
    benjamini_hochberg,
    holm,
    benjamini_hochberg <= 0.05e0 as is_discovered,
    holm <= 0.05e0 as is_rejected
from adjusted order by i
