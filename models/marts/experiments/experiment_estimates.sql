with estimates as (
    select * from {{ ref('int_experiment_estimates') }}
),

metrics as (
    select * from {{ ref('int_experiment_metrics') }}
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
),

experiment_survival as (
    select * from {{ ref('experiment_survival') }}
),

experiment_arms as (
    select * from {{ ref('experiment_arms') }}
),

{{ restricted_mean_results('restricted_means', 'experiment_survival', 'experiment_arms') }},

{% set numbers = [
    'experiment_id', 'arm', 'control_arm', 'metric', 'window_hours', 'segment', 'method', 'people',
    'control_people', 'mean', 'control_mean', 'effect', 'standard_error', 'ci_low', 'ci_high',
    'p_value', 'relative_effect', 'relative_ci_low', 'relative_ci_high'
] -%}
tested as (
    select
        {{ numbers | join(',\n        ') }},
        least(nonzero_people, control_nonzero_people) as converters
    from estimates

    union all

    select * from restricted_means
),

final as (
    select
        {%- for name in numbers %}
        tested.{{ name }},
        {%- endfor %}
        cast(tested.converters as bigint) as converters,
        metrics.family,
        metrics.better,
        metrics.kind in ('mean', 'proportion') and tested.method <> 'cace' as is_per_person,
        tested.method = metrics.headline_method and tested.segment = 'all' as is_headline
    from tested
    inner join metrics
        on tested.metric = metrics.metric
    left join refusals
        on
            tested.experiment_id = refusals.experiment_id
            and tested.metric = refusals.metric
    where refusals.experiment_id is null
)

select * from final
