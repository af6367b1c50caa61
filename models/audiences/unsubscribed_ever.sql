with person_consent as (
    select * from {{ ref('person_consent') }}
    where is_opted_out
),

opted_out as (
    select
        person_id,
        min(stated_at) as first_stated_at,
        count(*) as channels,
        max(channel) filter (where channel = 'all') as everything
    from person_consent
    group by person_id
),

-- A profile may say so without saying since when; then it is known since this build.
final as (
    select
        person_id,
        coalesce(first_stated_at, {{ as_of() }}) as entered_at,
        cast(null as timestamp) as expires_at,
        case
            when everything is not null then 'unsubscribed from everything'
            else 'unsubscribed from ' || cast(channels as {{ dbt.type_string() }}) || ' channels'
        end as reason
    from opted_out
)

select * from final
