with {{ welch_results('welch', 'arguments') }},

{%- set means = ('mean_t', 'variance_of_mean_t', 'mean_c', 'variance_of_mean_c') %}

final as (
    select
        *,
        relative_effect - {{ normal_critical_value() }}
        * {{ delta_relative_standard_error(*means) }} as delta_low,
        relative_effect + {{ normal_critical_value() }}
        * {{ delta_relative_standard_error(*means) }} as delta_high,
        {{ delta_relative_standard_error(*means) }} as delta_standard_error,
        {{ log_relative_standard_error(*means) }} as log_standard_error,
        {{ log_relative_low(*means) }} as log_low,
        {{ log_relative_high(*means) }} as log_high,
        {{ fieller_low(*means, z=2) }} as low_at_two,
        {{ fieller_high(*means, z='2e0') }} as high_at_two
    from welch
)

select * from final
order by i
