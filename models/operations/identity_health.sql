with feed_match_rates as (
    select * from {{ ref('feed_match_rates') }}
),

identifier_checks as (
    select * from {{ ref('identifier_checks') }}
),

destination_reach as (
    select * from {{ ref('destination_reach') }}
),

message_profiles as (
    select * from {{ ref('int_message_profiles') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

counted as (
    select
        check_name,
        subject,
        affected,
        total
    from identifier_checks

    union all

    select
        'unmatched_rows' as check_name,
        feed as subject,
        unmatched_rows as affected,
        total_rows as total
    from feed_match_rates

    union all

    select
        'unreachable_people' as check_name,
        destination as subject,
        people - reached_people as affected,
        people as total
    from destination_reach

    union all

    select
        'ghosts' as check_name,
        'message_events' as subject,
        count(distinct person_id) filter (where not has_profile) as affected,
        count(distinct person_id) filter (where has_profile is not null) as total
    from message_profiles

    union all

    select
        'chains_left_apart' as check_name,
        'profiles' as subject,
        count(*) filter (where not is_settled) as affected,
        count(*) as total
    from profile_people
),

limits as (
    {%- for check_name, threshold in var('identity_thresholds').items() %}
    select
        '{{ check_name }}' as check_name,
        cast({{ threshold }} as double) as threshold
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

measured as (
    select
        counted.check_name,
        counted.subject,
        counted.affected,
        counted.total,
        cast(counted.affected as double) / nullif(counted.total, 0) as share,
        limits.threshold
    from counted
    left join limits
        on counted.check_name = limits.check_name
),

final as (
    select
        check_name,
        subject,

        affected,
        total,
        share,
        threshold,
        case
            when total = 0 then 'no data'
            when threshold is null then 'not limited'
            when share > threshold then 'over'
            else 'ok'
        end as status
    from measured
)

select * from final
