-- What clicks claim beside what the holdout shows. Attribution counts orders that came after a
-- click; many of them would have come without it.
with campaign_claims as (
    select * from {{ ref('campaign_claims') }}
),

experiment_arms as (
    select * from {{ ref('experiment_arms') }}
    where campaign_id is not null and not is_control
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_outcomes as (
    select * from {{ ref('experiment_outcomes') }}
),

experiment_claims as (
    select * from {{ ref('experiment_claims') }}
),

experiment_results as (
    select * from {{ ref('experiment_results') }}
    where is_headline and metric = 'revenue_per_person'
),

-- Of several experiments of a campaign the last one says how it is now.
campaign_experiments as (
    select
        experiment_arms.campaign_id,
        max_by(
            experiments.experiment_id, (experiments.starts_at, experiments.experiment_id)
        ) as experiment_id
    from experiment_arms
    inner join experiments
        on experiment_arms.experiment_id = experiments.experiment_id
    where experiments.starts_at is not null
    group by experiment_arms.campaign_id
),

currencies as (
    select
        experiment_id,
        max(currency) as currency
    from experiment_outcomes
    group by experiment_id
),

-- What each arm caused adds up; so do the ends of the intervals, which is the widest they can be.
caused as (
    select
        campaign_experiments.campaign_id,
        campaign_experiments.experiment_id,
        max(currencies.currency) as currency,
        sum(experiment_results.people) as treated_people,
        {{ sum_in_order(
            'experiment_results.effect * experiment_results.people', 'experiment_results.arm'
        ) }} as incremental_revenue,
        {{ sum_in_order(
            'experiment_results.ci_low * experiment_results.people', 'experiment_results.arm'
        ) }} as incremental_ci_low,
        {{ sum_in_order(
            'experiment_results.ci_high * experiment_results.people', 'experiment_results.arm'
        ) }} as incremental_ci_high,
        max(experiment_results.reason) filter (
            where experiment_results.effect is null or experiment_results.verdict = 'no verdict'
        ) as reason
    from campaign_experiments
    inner join experiment_results
        on campaign_experiments.experiment_id = experiment_results.experiment_id
    left join currencies
        on campaign_experiments.experiment_id = currencies.experiment_id
    group by campaign_experiments.campaign_id, campaign_experiments.experiment_id
),

final as (
    select
        campaign_claims.campaign_id,
        campaign_claims.currency,
        campaign_claims.messages,
        campaign_claims.people,
        campaign_claims.last_click_orders,
        campaign_claims.last_click_revenue,
        campaign_claims.any_click_orders,
        campaign_claims.any_click_revenue,
        caused.experiment_id,
        cast(caused.treated_people as bigint) as treated_people,
        {%- for click in ['last', 'any'] %}
        case
            when caused.experiment_id is not null
                then coalesce(experiment_claims.{{ click }}_click_revenue, 0)
        end as experiment_{{ click }}_click_revenue,
        {%- endfor %}
        caused.incremental_revenue,
        caused.incremental_ci_low,
        caused.incremental_ci_high,
        case
            when caused.experiment_id is null
                then 'no random holdout, so nothing is known of what it caused'
            else coalesce(caused.reason, 'against the people held out')
        end as basis
    from campaign_claims
    left join caused
        on
            campaign_claims.campaign_id = caused.campaign_id
            and campaign_claims.currency in (caused.currency, 'none')
    left join experiment_claims
        on
            caused.experiment_id = experiment_claims.experiment_id
            and campaign_claims.campaign_id = experiment_claims.campaign_id
            and campaign_claims.currency = experiment_claims.currency
)

select * from final
