-- What published builds observed before this one, and what this one sees.
with stg_audiences__builds as (
    select * from {{ ref('stg_audiences__builds') }}
    where observed_at < {{ as_of() }}
),

audience_sizes as (
    select * from {{ ref('audience_sizes') }}
),

seen as (
    select
        audience,
        observed_at,
        version,
        people,
        entered_people,
        left_people
    from stg_audiences__builds

    union all

    select
        audience,
        as_of as observed_at,
        version,
        people,
        entered_people,
        left_people
    from audience_sizes
),

-- The last build of a day stands for it; who entered and left did so in any of them.
days as (
    select
        audience,
        {{ local_date('observed_at') }} as observed_on,
        max_by(version, observed_at) as version,
        max(observed_at) as observed_at,
        count(*) as builds,
        max_by(people, observed_at) as people,
        cast(sum(entered_people) as bigint) as entered_people,
        cast(sum(left_people) as bigint) as left_people
    from seen
    group by audience, {{ local_date('observed_at') }}
),

-- Two weeks back at most: what was seen before says nothing about this one.
paired as (
    select
        days.audience,
        days.observed_on,
        past.people,
        past.left_people,
        past.observed_on as past_on,
        past.observed_on <= days.observed_on - interval 7 day as is_week_before
    from days
    inner join days as past
        on
            days.audience = past.audience
            and days.observed_on >= past.observed_on
            and days.observed_on - interval 14 day < past.observed_on
),

weeks as (
    select
        audience,
        observed_on,
        max_by(people, past_on) filter (where is_week_before) as people_week_before,
        cast(
            coalesce(sum(left_people) filter (where not is_week_before), 0) as bigint
        ) as left_people_7d
    from paired
    group by audience, observed_on
),

final as (
    select
        days.audience,
        days.observed_on,
        days.version,
        lag(days.version) over (partition by days.audience order by days.observed_on)
            as last_version,
        days.observed_at,
        days.builds,
        days.people,
        days.entered_people,
        days.left_people,
        weeks.people_week_before,
        weeks.left_people_7d,
        case
            when weeks.people_week_before is not null
                then cast(weeks.left_people_7d as double) / nullif(weeks.people_week_before, 0)
        end as weekly_churn_rate,
        coalesce(
            days.version
            <> lag(days.version) over (partition by days.audience order by days.observed_on),
            false
        ) as is_new_version
    from days
    inner join weeks
        on
            days.audience = weeks.audience
            and days.observed_on = weeks.observed_on
)

select * from final
