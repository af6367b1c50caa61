with ranked as (
    select
        *,
        {{ p_value_rank('p', 'family') }} as position,
        {{ p_value_count('p', 'family') }} as tests
    from arguments
)

select
    {{ benjamini_hochberg('p', 'position', 'tests', 'family') }} as benjamini_hochberg,
    {{ holm('p', 'position', 'tests', 'family') }} as holm
from ranked order by i
