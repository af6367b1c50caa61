{%- set bands = audience_bands() -%}

with audience_members as (
    select * from {{ ref('audience_members') }}
),

audience_changes as (
    select * from {{ ref('audience_changes') }}
),

{# One row an audience that the variable lists, so that an empty one is seen too. -#}
audiences as (
    {%- for band in bands %}
    {{ 'union all' if not loop.first }}
    select
        '{{ band.audience }}' as audience,
        '{{ band.label }}' as label,
        '{{ band.monitor | replace("'", "''") }}' as monitored_by,
        cast({{ band.version }} as bigint) as version,
        cast({{ band.expected_low }} as bigint) as expected_low,
        cast({{ band.expected_high }} as bigint) as expected_high,
        cast({{ band.stay_days if band.stay_days is number else 'null' }} as double) as stay_days
    {%- endfor %}
),

counted as (
    select
        audience,
        count(*) as people
    from audience_members
    group by audience
),

changed as (
    select
        audience,
        count(*) filter (where change = 'entered') as entered_people,
        count(*) filter (where change = 'left') as left_people
    from audience_changes
    group by audience
),

final as (
    select
        audiences.audience,
        audiences.label,
        audiences.monitored_by,
        '{{ invocation_id }}' as build_id,
        audiences.version,
        {{ as_of() }} as as_of,
        coalesce(counted.people, 0) as people,
        coalesce(changed.entered_people, 0) as entered_people,
        coalesce(changed.left_people, 0) as left_people,
        audiences.expected_low,
        audiences.expected_high,
        audiences.stay_days,
        coalesce(counted.people, 0) not between audiences.expected_low and audiences.expected_high
            as is_outside
    from audiences
    left join counted
        on audiences.audience = counted.audience
    left join changed
        on audiences.audience = changed.audience
)

select * from final
