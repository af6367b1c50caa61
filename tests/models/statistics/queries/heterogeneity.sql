with {{ welch_results('segments', 'arguments') }},

everyone as (
    select
        count(*) - 1 as df,
        {{ pooled_effect('effect', 'standard_error', 'i') }} as pooled_effect,
        {{ cochran_q('effect', 'standard_error', 'i') }} as cochran_q,
        {{ stratified_effect('effect', 'n_t + n_c', 'i') }} as stratified_effect,
        {{ stratified_standard_error('standard_error', 'n_t + n_c', 'i') }} as stratified_error
    from segments
)

select
    segments.effect,
    segments.standard_error,
    everyone.*,
    {{ chi_square_upper_tail('everyone.cochran_q', 'everyone.df') }} as p_value
from segments
cross join everyone
order by segments.i
