with checks as (
    select
        experiment,
        sum({{ sample_ratio_term('people', 'everyone', 'share') }}) as chi_square,
        {{ sequential_sample_ratio_log_factor('people', 'share') }} as log_factor,
        cast(count(*) - 1 as bigint) as df
    from (
        select *, sum(people) over (partition by experiment) as everyone from arguments
    ) as arms
    group by experiment
),

tested as (
    select *, {{ chi_square_upper_tail('chi_square', 'df') }} as p_value
    from checks
)

select
    *,
    p_value < 0.001e0 as is_refused,
    {{ sequential_sample_ratio_p('log_factor') }} as sequential_p
from tested order by experiment
