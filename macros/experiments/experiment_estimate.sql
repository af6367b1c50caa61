{#- What says which estimate a row is, through every step of the estimators. -#}
{%- macro estimate_keys() -%}
    {{ return([
        'experiment_id', 'arm', 'control_arm', 'metric', 'window_hours', 'segment', 'comparison',
        'kind', 'people_t', 'people_c', 'nonzero_people_t', 'nonzero_people_c', 'sum_y_t',
        'sum_y_c',
    ]) }}
{%- endmacro -%}


{#- The select list of one method's effects, without its `from`. What is not given is null. -#}
{%- macro experiment_effect(
    method, effect, standard_error, degrees_of_freedom=none, mean_t='mean_t', mean_c='mean_c',
    variance_of_mean_t=none, variance_of_mean_c=none, kappa=none
) -%}
    {%- set unknown = 'cast(null as double)' -%}
    select
        {%- for key in estimate_keys() %}
        {{ key }},
        {%- endfor %}
        {{ method }} as method,
        {{ mean_t }} as mean_t,
        {{ mean_c }} as mean_c,
        {{ variance_of_mean_t or unknown }} as variance_of_mean_t,
        {{ variance_of_mean_c or unknown }} as variance_of_mean_c,
        {{ effect }} as effect,
        {{ standard_error }} as standard_error,
        {{ degrees_of_freedom or unknown }} as degrees_of_freedom,
        {{ kappa or unknown }} as kappa
{%- endmacro -%}


{#- One arm's moments as columns with its ending: of the outcome, the covariate, delivery, and a
    ratio's sums. `arm` is t or c. -#}
{%- macro experiment_moments(arm) -%}
    {%- set n = 'people_' ~ arm -%}
    {%- set y = 'sum_y_' ~ arm -%}
    {%- set yy = 'sum_yy_' ~ arm -%}
    {%- set x = 'sum_x_' ~ arm -%}
    {%- set d = 'delivered_people_' ~ arm -%}
    {%- set per = 'sum_per_' ~ arm -%}
    {{ sample_mean(n, y) }} as mean_{{ arm }},
    {{ sample_mean(n, x) }} as mean_x_{{ arm }},
    {{ sample_mean(n, d) }} as delivered_{{ arm }},
    cast({{ y }} as double)/nullif(cast({{ per }} as double),0e0) as ratio_{{ arm }},
    {{ sample_variance(n, y, yy) }} as variance_{{ arm }},
    {{ sample_variance(n, x, 'sum_xx_' ~ arm) }} as variance_x_{{ arm }},
    {{ sample_covariance(n, x, y, 'sum_xy_' ~ arm) }} as covariance_{{ arm }},
    {{ third_central_moment(n, y, yy, 'sum_yyy_' ~ arm) }} as third_moment_{{ arm }},
    {{ population_variance(n, y, yy) }} as cace_variance_y_{{ arm }},
    {{ population_variance(n, d, d) }} as cace_variance_d_{{ arm }},
    {{ population_covariance(n, y, d, 'sum_yd_' ~ arm) }} as cace_covariance_{{ arm }},
    {{ ratio_unit_variance(n, y, yy, per, 'sum_per_per_' ~ arm, 'sum_y_per_' ~ arm) }}
        as ratio_variance_{{ arm }}
{%- endmacro -%}


{#- The sum over both arms of a moment over the people of its arm. -#}
{%- macro over_people(moment) -%}
    ({{ sample_mean('people_t', moment ~ '_t') }}+{{ sample_mean('people_c', moment ~ '_c') }})
{%- endmacro -%}
