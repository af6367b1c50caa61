{#-
    CUPED: A. Deng et al., "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data" (WSDM 2013). One θ over both arms together, or the adjustment itself would
    move the effect. A covariate that does not vary adjusts nothing (θ = 0).
-#}
{%- macro cuped_theta(
    n_t, sum_y_t, sum_x_t, sum_xx_t, sum_xy_t, n_c, sum_y_c, sum_x_c, sum_xx_c, sum_xy_c
) -%}
    {%- set n = both_arms(n_t, n_c) -%}
    {%- set spread = centred_sum_of_squares(
        n, both_arms(sum_x_t, sum_x_c), both_arms(sum_xx_t, sum_xx_c)
    ) -%}
    (case
        when {{ spread }} = 0e0 then 0e0
        else {{ centred_sum_of_products(
            n, both_arms(sum_x_t, sum_x_c), both_arms(sum_y_t, sum_y_c),
            both_arms(sum_xy_t, sum_xy_c)
        ) }}/{{ spread }}
    end)
{%- endmacro -%}


{%- macro both_arms(treated, control) -%}
    (cast({{ treated }} as double)+cast({{ control }} as double))
{%- endmacro -%}


{%- macro cuped_effect(mean_y_t, mean_x_t, mean_y_c, mean_x_c, theta) -%}
    ((({{ mean_y_t }})-({{ mean_y_c }}))-({{ theta }})*(({{ mean_x_t }})-({{ mean_x_c }})))
{%- endmacro -%}


{#- Variance of one arm's adjusted outcome; it takes the place of the sample variance in
    welch_standard_error and welch_degrees_of_freedom. -#}
{%- macro cuped_variance(variance_y, variance_x, covariance_xy, theta) -%}
    {{ not_negative(
        '((' ~ variance_y ~ ')+(' ~ theta ~ ')*(' ~ theta ~ ')*(' ~ variance_x
        ~ ')-2e0*(' ~ theta ~ ')*(' ~ covariance_xy ~ '))'
    ) }}
{%- endmacro -%}


{%- macro cuped_standard_error(
    n_t, variance_y_t, variance_x_t, covariance_xy_t,
    n_c, variance_y_c, variance_x_c, covariance_xy_c, theta
) -%}
    {{ welch_standard_error(
        cuped_variance(variance_y_t, variance_x_t, covariance_xy_t, theta), n_t,
        cuped_variance(variance_y_c, variance_x_c, covariance_xy_c, theta), n_c,
    ) }}
{%- endmacro -%}
