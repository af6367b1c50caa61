with audience_sizes_daily as (
    select * from {{ ref('audience_sizes_daily') }}
    where observed_at <= {{ as_of() }}
),

audience_sizes as (
    select * from {{ ref('audience_sizes') }}
),

expected_sizes as (
    select * from {{ ref('expected_audience_sizes') }}
),

-- Who leaves because the definition changed says nothing of the audience.
redefined as (
    select
        audience,
        max(observed_on) as redefined_on
    from audience_sizes_daily
    where is_new_version
    group by audience
),

compared as (
    select
        *,
        lag(people) over (partition by audience order by observed_on) as last_people,
        lag(observed_on) over (partition by audience order by observed_on) as last_observed_on,
        row_number() over (partition by audience order by observed_on desc) as day_rank
    from audience_sizes_daily
),

latest as (
    select * from compared
    where day_rank = 1
),

banded as (
    select
        latest.*,
        expected_sizes.expected_people,
        expected_sizes.tolerance,
        expected_sizes.compared_days,
        -- By the clock alone a week's share of a window leaves each week; the rest is churn.
        {{ var('weekly_churn_limit') }}
        + case
            when audience_sizes.stay_days is null then 0
            when audience_sizes.stay_days > 7 then 7 / audience_sizes.stay_days
            else 1
        end as weekly_churn_limit,
        latest.people_week_before >= {{ var('volume_floor_events') }}
        and coalesce(redefined.redefined_on <= latest.observed_on - interval 7 day, true)
            as is_churn_known
    from latest
    left join expected_sizes
        on latest.audience = expected_sizes.audience
    left join audience_sizes
        on latest.audience = audience_sizes.audience
    left join redefined
        on latest.audience = redefined.audience
),

final as (
    select
        audience,
        observed_on,
        version,
        case
            when last_version is null then 'first observation'
            when last_version <> version then 'definition'
            when expected_people is null then 'too few days'
            when people < expected_people - tolerance then 'drop'
            when people > expected_people + tolerance then 'spike'
            else 'none'
        end as change_kind,
        last_observed_on,
        last_version,
        people,
        last_people,
        expected_people,
        greatest(expected_people - tolerance, 0) as expected_low,
        expected_people + tolerance as expected_high,
        coalesce(compared_days, 0) as compared_days,
        weekly_churn_rate,
        cast(weekly_churn_limit as double) as weekly_churn_limit,
        coalesce(
            last_version = version
            and (people < expected_people - tolerance or people > expected_people + tolerance),
            false
        ) as is_anomaly,
        coalesce(is_churn_known and weekly_churn_rate > weekly_churn_limit, false) as is_churning
    from banded
)

select * from final
