{%- set columns = [
    'experiment_id', 'arm', 'control_arm', 'metric', 'family', 'window_hours', 'segment', 'method',
    'people', 'control_people', 'mean', 'control_mean', 'effect', 'standard_error', 'ci_low',
    'ci_high', 'p_value', 'p_value_bh', 'p_value_holm', 'relative_effect', 'relative_ci_low',
    'relative_ci_high', 'incremental_total', 'incremental_ci_low', 'incremental_ci_high',
    'incremental_share', 'people_for_one_more', 'chance_it_helps', 'is_headline', 'verdict', 'reason'
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

-- A ratio of sums or a time is no mean over people, and has no total.
totalled as (
    select
        *,
        {%- for total, effect in [
            ('incremental_total', 'effect'), ('incremental_ci_low', 'ci_low'),
            ('incremental_ci_high', 'ci_high'),
        ] %}
        case when is_per_person then {{ incremental_total(effect, 'people') }} end as {{ total }},
        {%- endfor %}
        case when is_per_person then {{ incremental_share('effect', 'mean') }} end
            as incremental_share,
        case when is_per_person then {{ people_for_one_more('effect') }} end
            as people_for_one_more,
        -- Looks on many days have a p-value that is not of one test.
        case
            when verdict <> 'no verdict' and method <> 'always_valid'
                then {{ chance_it_helps('effect', 'p_value', 'better') }}
        end as chance_it_helps
    from judged
),

final as (
    select
        {{ columns | join(',\n        ') }}
    from totalled

    union all

    {{ experiment_without_estimate() }}
    from metrics_without_lift
)

select * from final
