-- The effect and its standard error by every method, before it is tested.
with differences as (
    select * from {{ ref('int_experiment_differences') }}
),

stratified as (
    select * from {{ ref('int_stratified_effects') }}
),

-- The plain difference is tested in several ways: in a segment, or between treated arms, in one.
methods as (
    {%- for kind, method in [
        ('mean', 'welch'), ('mean', 'hall'), ('mean', 'always_valid'),
        ('proportion', 'welch'), ('proportion', 'newcombe'), ('proportion', 'always_valid'),
    ] %}
    {{ 'union all' if not loop.first }}
    select
        '{{ kind }}' as kind_of_metric,
        '{{ method }}' as method
    {%- endfor %}
),

plain as (
    select
        differences.*,
        methods.method
    from differences
    inner join methods
        on differences.kind = methods.kind_of_metric
    where
        differences.headline_method = methods.method
        or (differences.segment = 'all' and differences.comparison = 'holdout')
),

whole as (
    select * from differences
    where segment = 'all' and comparison = 'holdout' and kind <> 'ratio'
),

post_stratified as (
    select
        whole.*,
        stratified.stratified_effect,
        stratified.stratified_standard_error
    from whole
    inner join stratified
        on
            whole.experiment_id = stratified.experiment_id
            and whole.arm = stratified.arm
            and whole.control_arm = stratified.control_arm
            and whole.metric = stratified.metric
),

final as (
    {{ experiment_effect(
        'method', 'effect', 'standard_error', "case when method = 'welch' then degrees_of_freedom end",
        variance_of_mean_t='variance_of_mean_t', variance_of_mean_c='variance_of_mean_c',
        kappa=hall_kappa(
            'third_moment_t', 'people_t', 'third_moment_c', 'people_c', 'standard_error'
        ),
    ) }}
    from plain

    union all

    {{ experiment_effect(
        "'cuped'",
        'cuped_effect',
        welch_standard_error('cuped_variance_t', 'people_t', 'cuped_variance_c', 'people_c'),
        welch_degrees_of_freedom('cuped_variance_t', 'people_t', 'cuped_variance_c', 'people_c'),
    ) }}
    from whole
    where sum_xx_t + sum_xx_c > 0

    union all

    {{ experiment_effect(
        "'cace'",
        cace('effect', 'effect_d'),
        cace_standard_error(
            'effect', 'effect_d', 'cace_variance_y', 'cace_variance_d', 'cace_covariance'
        ),
    ) }}
    from whole
    where {{ cace_is_strong('effect_d', 'cace_variance_d') }}

    union all

    {{ experiment_effect(
        "'ratio_delta'",
        'ratio_t - ratio_c',
        ratio_delta_standard_error('ratio_variance_t', 'people_t', 'ratio_variance_c', 'people_c'),
        mean_t='ratio_t', mean_c='ratio_c',
        variance_of_mean_t=sample_mean('people_t', 'ratio_variance_t'),
        variance_of_mean_c=sample_mean('people_c', 'ratio_variance_c'),
    ) }}
    from differences
    where kind = 'ratio'

    union all

    {{ experiment_effect("'post_stratified'", 'stratified_effect', 'stratified_standard_error') }}
    from post_stratified
)

select * from final
