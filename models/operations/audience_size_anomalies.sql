-- A size that moved because the definition did is no drift: only days of one version are compared.
with audience_sizes_daily as (
    select * from {{ ref('audience_sizes_daily') }}
    where observed_at <= {{ as_of() }}
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

medians as (
    select
        latest.audience,
        median(past.people) as expected_people,
        count(*) as compared_days
    from latest
    inner join audience_sizes_daily as past
        on
            latest.audience = past.audience
            and latest.version = past.version
            and latest.observed_on > past.observed_on
    where past.observed_on >= latest.observed_on - interval 28 day
    group by latest.audience
    having count(*) >= 7
),

deviations as (
    select
        latest.audience,
        median(abs(past.people - medians.expected_people)) as deviation
    from latest
    inner join medians
        on latest.audience = medians.audience
    inner join audience_sizes_daily as past
        on
            latest.audience = past.audience
            and latest.version = past.version
            and latest.observed_on > past.observed_on
    where past.observed_on >= latest.observed_on - interval 28 day
    group by latest.audience
),

banded as (
    select
        latest.*,
        medians.expected_people,
        medians.compared_days,
        greatest(
            {{ var('volume_deviations') }} * 1.4826e0 * deviations.deviation,
            {{ var('volume_floor_share') }} * medians.expected_people,
            {{ var('volume_floor_events') }}
        ) as tolerance
    from latest
    left join medians
        on latest.audience = medians.audience
    left join deviations
        on latest.audience = deviations.audience
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
        cast(expected_people as double) as expected_people,
        cast(greatest(expected_people - tolerance, 0) as double) as expected_low,
        cast(expected_people + tolerance as double) as expected_high,
        coalesce(compared_days, 0) as compared_days,
        coalesce(
            last_version = version
            and (people < expected_people - tolerance or people > expected_people + tolerance),
            false
        ) as is_anomaly
    from banded
)

select * from final
