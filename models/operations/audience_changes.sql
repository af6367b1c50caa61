-- Lands as observations when the build is published; the next build compares with that.
with audience_members as (
    select * from {{ ref('audience_members') }}
),

stg_audiences__observations as (
    select * from {{ ref('stg_audiences__observations') }}
    where observed_at < {{ as_of() }}
),

{# A version is the audience's own; one that is listed no more keeps the last. -#}
versions as (
    {%- for band in audience_bands() %}
    {{ 'union all' if not loop.first }}
    select
        '{{ band.audience }}' as audience,
        cast({{ band.version }} as bigint) as version
    {%- endfor %}
),

last_seen as (
    select
        audience,
        person_id,
        max_by(change, observed_at) as change,
        max_by(version, observed_at) as version
    from stg_audiences__observations
    group by audience, person_id
),

were_in as (
    select * from last_seen
    where change = 'entered'
),

compared as (
    select
        coalesce(audience_members.audience, were_in.audience) as audience,
        coalesce(audience_members.person_id, were_in.person_id) as person_id,
        case when were_in.person_id is null then 'entered' else 'left' end as change,
        were_in.version as last_version
    from audience_members
    full outer join were_in
        on
            audience_members.audience = were_in.audience
            and audience_members.person_id = were_in.person_id
    where audience_members.person_id is null or were_in.person_id is null
),

final as (
    select
        compared.audience,
        compared.person_id,
        '{{ invocation_id }}' as build_id,
        coalesce(versions.version, compared.last_version) as version,
        compared.change,
        {{ as_of() }} as observed_at
    from compared
    left join versions
        on compared.audience = versions.audience
)

select * from final
