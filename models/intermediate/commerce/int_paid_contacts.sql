with paid_audience_people as (
    select * from {{ ref('int_paid_audience_people') }}
),

-- Several audiences of one platform on one day are one contact: the platform shows what it shows.
final as (
    select
        person_id,
        platform,
        active_on,
        count(*) as audiences
    from paid_audience_people
    group by person_id, platform, active_on
)

select * from final
