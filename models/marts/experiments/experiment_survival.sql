-- Everyone in one arm counts as long as they have been followed, so people whose window is not over
-- are here too. Durations are whole hours begun. What health refuses has no curve to be compared.
with experiment_people as (
    select * from {{ ref('experiment_people') }}
    where not is_mixed
),

experiments as (
    select * from {{ ref('int_experiments') }}
),

experiment_purchases as (
    select * from {{ ref('experiment_purchases') }}
),

refusals as (
    select * from {{ ref('experiment_refusals') }}
    where metric = 'days_to_next_order'
),

followed as (
    select
        experiment_people.experiment_id,
        experiment_people.arm,
        experiment_people.index_at,
        experiments.window_hours,
        experiment_purchases.next_ordered_at,
        experiment_people.followed_until
    from experiment_people
    inner join experiments
        on experiment_people.experiment_id = experiments.experiment_id
    left join experiment_purchases
        on
            experiment_people.experiment_id = experiment_purchases.experiment_id
            and experiment_people.person_id = experiment_purchases.person_id
    left join refusals
        on experiment_people.experiment_id = refusals.experiment_id
    where
        experiment_people.index_at < experiment_people.followed_until
        and refusals.experiment_id is null
),

seconds_after_index as (
    select
        experiment_id,
        arm,
        window_hours,
        coalesce(next_ordered_at < followed_until, false) as is_event,
        {{ dbt.datediff('index_at', 'next_ordered_at', 'second') }}
            as seconds_to_order,
        {{ dbt.datediff('index_at', 'followed_until', 'second') }}
            as seconds_followed
    from followed
),

durations as (
    select
        experiment_id,
        arm,
        window_hours,
        is_event,
        cast(
            case
                when is_event then floor(seconds_to_order / 3600.0) + 1
                else ceil(seconds_followed / 3600.0)
            end as bigint
        ) as hours_after_index
    from seconds_after_index
),

exits as (
    select
        experiment_id,
        arm,
        window_hours,
        hours_after_index,
        cast(count(*) filter (where is_event) as double) as events,
        cast(count(*) as double) as exits
    from durations
    group by experiment_id, arm, window_hours, hours_after_index
),

{{ survival_results(
    'curves', 'exits', 'experiment_id, arm', 'hours_after_index', 'window_hours'
) }},

final as (
    select
        experiment_id,
        arm,
        window_hours,
        hours_after_index,
        cast(at_risk as bigint) as people_at_risk,
        cast(events as bigint) as people_ordering,
        cast(exits - events as bigint) as people_censored,
        survival as share_without_order,
        survival * sqrt(greenwood) as standard_error,
        {{ survival_low('survival', 'greenwood') }} as ci_low,
        {{ survival_high('survival', 'greenwood') }} as ci_high,
        restricted_mean / 24 as restricted_mean_days,
        restricted_mean_variance / 576 as restricted_mean_variance
    from curves
)

select * from final
