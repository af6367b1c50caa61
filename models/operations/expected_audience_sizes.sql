{{ config(materialized='view') }}

-- A size that moved because the definition did is no drift: only days of one version are compared.
with audience_sizes_daily as (
    select * from {{ ref('audience_sizes_daily') }}
    where observed_at <= {{ as_of() }}
),

latest as (
    select
        audience,
        max(observed_on) as observed_on,
        max_by(version, observed_on) as version
    from audience_sizes_daily
    group by audience
),

past as (
    select
        latest.audience,
        latest.observed_on,
        latest.version,
        audience_sizes_daily.people
    from latest
    inner join audience_sizes_daily
        on
            latest.audience = audience_sizes_daily.audience
            and latest.version = audience_sizes_daily.version
            and latest.observed_on > audience_sizes_daily.observed_on
    where audience_sizes_daily.observed_on >= latest.observed_on - interval 28 day
),

medians as (
    select
        audience,
        observed_on,
        version,
        median(people) as expected_people,
        count(*) as compared_days
    from past
    group by audience, observed_on, version
    having count(*) >= 7
),

deviations as (
    select
        past.audience,
        median(abs(past.people - medians.expected_people)) as deviation
    from past
    inner join medians
        on past.audience = medians.audience
    group by past.audience
),

-- 1.4826 makes a median deviation of a normal spread its standard deviation.
final as (
    select
        medians.audience,
        medians.observed_on,
        medians.version,
        cast(medians.expected_people as double) as expected_people,
        cast(greatest(
            {{ var('volume_deviations') }} * 1.4826e0 * deviations.deviation,
            {{ var('volume_floor_share') }} * medians.expected_people,
            {{ var('volume_floor_events') }}
        ) as double) as tolerance,
        medians.compared_days
    from medians
    inner join deviations
        on medians.audience = deviations.audience
)

select * from final
