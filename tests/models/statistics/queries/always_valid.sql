with looks as (
    select
        *,
        sqrt({{ always_valid_rho_squared('planned') }}) as rho,
        {{ always_valid_half_width('se', 'people', 'planned') }} as half_width,
        {{ always_valid_p('effect', 'se', 'people', 'planned') }} as p_value
    from arguments
)

select
    rho,
    half_width,
    effect - half_width as ci_low,
    effect + half_width as ci_high,
    p_value,
    half_width / ({{ normal_critical_value() }} * se) as times_as_wide
from looks order by i
