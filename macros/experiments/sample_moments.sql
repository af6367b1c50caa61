{#- Mean, variance and covariance from sums. Sums and counts may be of any numeric type: each is
    cast to double before it is multiplied. -#}
{%- macro sample_mean(n, total) -%}
    (cast({{ total }} as double)/nullif(cast({{ n }} as double),0e0))
{%- endmacro -%}


{#- Sum of squares about the mean. What is below 1e-12 of the raw sum of squares is rounding in the
    sums, so it counts as no spread at all. -#}
{%- macro centred_sum_of_squares(n, sum_y, sum_yy) -%}
    {%- set squares = 'cast(' ~ sum_yy ~ ' as double)' -%}
    {%- set total = 'cast(' ~ sum_y ~ ' as double)' -%}
    {%- set centred = '(' ~ squares ~ '-' ~ total ~ '*' ~ total ~ '/nullif(cast(' ~ n
        ~ ' as double),0e0))' -%}
    (case when {{ centred }} <= 1e-12*{{ squares }} then 0e0 else {{ centred }} end)
{%- endmacro -%}


{%- macro centred_sum_of_products(n, sum_x, sum_y, sum_xy) -%}
    (cast({{ sum_xy }} as double)-cast({{ sum_x }} as double)*cast({{ sum_y }} as double)
    /nullif(cast({{ n }} as double),0e0))
{%- endmacro -%}


{%- macro sample_variance(n, sum_y, sum_yy) -%}
    (case when {{ n }} >= 2 then
        {{ centred_sum_of_squares(n, sum_y, sum_yy) }}/(cast({{ n }} as double)-1e0)
    end)
{%- endmacro -%}


{%- macro sample_covariance(n, sum_x, sum_y, sum_xy) -%}
    (case when {{ n }} >= 2 then
        {{ centred_sum_of_products(n, sum_x, sum_y, sum_xy) }}/(cast({{ n }} as double)-1e0)
    end)
{%- endmacro -%}


{%- macro population_variance(n, sum_y, sum_yy) -%}
    (case when {{ n }} >= 2 then
        {{ centred_sum_of_squares(n, sum_y, sum_yy) }}/cast({{ n }} as double)
    end)
{%- endmacro -%}


{%- macro population_covariance(n, sum_x, sum_y, sum_xy) -%}
    (case when {{ n }} >= 2 then
        {{ centred_sum_of_products(n, sum_x, sum_y, sum_xy) }}/cast({{ n }} as double)
    end)
{%- endmacro -%}


{#- The third moment about the mean, divided by n: what Hall's correction needs. -#}
{%- macro third_central_moment(n, sum_y, sum_yy, sum_yyy) -%}
    {%- set mean = sample_mean(n, sum_y) -%}
    ({{ sample_mean(n, sum_yyy) }}-3e0*{{ mean }}*{{ sample_mean(n, sum_yy) }}
    +2e0*{{ mean }}*{{ mean }}*{{ mean }})
{%- endmacro -%}
