{%- set columns = [
    'experiment_id', 'arm', 'control_arm', 'metric', 'family', 'window_hours', 'segment', 'method',
    'people', 'control_people', 'mean', 'control_mean', 'effect', 'standard_error', 'ci_low',
    'ci_high', 'p_value', 'p_value_bh', 'p_value_holm', 'relative_effect', 'relative_ci_low',
    'relative_ci_high', 'is_headline', 'verdict', 'reason'
] -%}
{%- set tests = 'experiment_id, family, is_headline' -%}
with estimates as (
    select * from {{ ref('int_experiment_estimates') }}
),

experiments as (
    select * from {{ ref('int_experiments') }}
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

splits as (
    select * from {{ ref('experiment_splits') }}
),

{{ restricted_mean_results('restricted_means', 'experiment_survival', 'experiment_arms') }},

tested as (
    select
        {%- for name in [
            'experiment_id', 'arm', 'control_arm', 'metric', 'window_hours', 'segment', 'method',
            'people', 'control_people', 'mean', 'control_mean', 'effect', 'standard_error',
            'ci_low', 'ci_high', 'p_value', 'relative_effect', 'relative_ci_low',
            'relative_ci_high'
        ] %}
        {{ name }},
        {%- endfor %}
        least(nonzero_people, control_nonzero_people) as converters
    from estimates

    union all

    select * from restricted_means
),

believed as (
    select
        tested.*,
        metrics.family,
        metrics.better,
        tested.method = metrics.headline_method and tested.segment = 'all' as is_headline
    from tested
    inner join metrics
        on tested.metric = metrics.metric
    left join refusals
        on
            tested.experiment_id = refusals.experiment_id
            and tested.metric = refusals.metric
    where refusals.experiment_id is null
),

ranked as (
    select
        *,
        {{ p_value_rank('p_value', tests) }} as test_rank,
        {{ p_value_count('p_value', tests) }} as test_count
    from believed
),

-- The family is what one experiment is decided by: its goals over its arms, one method each.
judged as (
    select
        *,
        case
            when is_headline
                then {{ benjamini_hochberg('p_value', 'test_rank', 'test_count', tests) }}
        end as p_value_bh,
        case
            when is_headline
                then {{ holm('p_value', 'test_rank', 'test_count', tests) }}
        end as p_value_holm,
        {{ experiment_verdict('ci_low', 'ci_high', 'better', 'converters') }}
    from ranked
),

estimated as (
    select
        experiment_id,
        metric
    from believed
    group by experiment_id, metric
),

-- Without a holdout arms are held against each other, and that is no lift. Too early is no refusal:
-- the arms are there, and nobody's window is over yet.
without_lift as (
    select
        experiments.experiment_id,
        experiments.window_hours,
        metrics.metric,
        metrics.family,
        coalesce(splits.has_no_control_arm, false) as has_no_control_arm
    from experiments
    cross join metrics
    left join splits
        on experiments.experiment_id = splits.experiment_id
    left join refusals
        on
            experiments.experiment_id = refusals.experiment_id
            and metrics.metric = refusals.metric
    left join estimated
        on
            experiments.experiment_id = estimated.experiment_id
            and metrics.metric = estimated.metric
    where
        refusals.experiment_id is null
        and (estimated.experiment_id is null or splits.has_no_control_arm)
),

final as (
    select
        {{ columns | join(',\n        ') }}
    from judged

    union all

    {{ experiment_without_estimate("'refused'", 'reason') }}
    from refusals

    union all

    {{ experiment_without_estimate(
        "case when has_no_control_arm then 'no verdict' else 'too early' end",
        "case
            when has_no_control_arm
                then 'no holdout, no lift: arms are held against each other alone, by between_arms'
            else 'nobody''s window is over yet, or what it needs is not loaded so far'
        end",
    ) }}
    from without_lift
)

select * from final
