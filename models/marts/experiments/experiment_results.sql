{%- set columns = [
    'experiment_id', 'arm', 'control_arm', 'metric', 'family', 'window_hours', 'segment', 'method',
    'people', 'control_people', 'mean', 'control_mean', 'effect', 'standard_error', 'ci_low',
    'ci_high', 'p_value', 'p_value_bh', 'p_value_holm', 'relative_effect', 'relative_ci_low',
    'relative_ci_high', 'is_headline', 'verdict', 'reason'
] -%}
{%- set tests = 'experiment_id, family, is_headline' -%}
with experiment_estimates as (
    select * from {{ ref('experiment_estimates') }}
),

metrics_without_lift as (
    select * from {{ ref('experiment_metrics_without_lift') }}
),

ranked as (
    select
        *,
        {{ p_value_rank('p_value', tests) }} as test_rank,
        {{ p_value_count('p_value', tests) }} as test_count
    from experiment_estimates
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

final as (
    select
        {{ columns | join(',\n        ') }}
    from judged

    union all

    {{ experiment_without_estimate() }}
    from metrics_without_lift
)

select * from final
