{{ config(materialized='view') }}

with campaigns as (
    select * from {{ ref('stg_customerio__campaigns') }}
),

export_campaigns as (
    select * from {{ ref('stg_customerio__export_campaigns') }}
),

export_broadcasts as (
    select * from {{ ref('stg_customerio__export_broadcasts') }}
),

-- Exports know when a name was changed, the API when it was seen; only the API has tags.
observed as (
    select
        campaign_id,
        cast(null as {{ dbt.type_string() }}) as broadcast_id,
        name,
        tags,
        created_at,
        observed_at,
        observed_at as tags_observed_at
    from campaigns

    union all

    select
        campaign_id,
        cast(null as {{ dbt.type_string() }}) as broadcast_id,
        name,
        cast(null as {{ dbt.type_string() }}) as tags,
        created_at,
        coalesce(updated_at, created_at) as observed_at,
        cast(null as timestamp) as tags_observed_at
    from export_campaigns

    union all

    select
        cast(null as {{ dbt.type_string() }}) as campaign_id,
        broadcast_id,
        name,
        cast(null as {{ dbt.type_string() }}) as tags,
        created_at,
        coalesce(updated_at, created_at) as observed_at,
        cast(null as timestamp) as tags_observed_at
    from export_broadcasts
),

-- Of two at one instant one is enough, and an export has no say in tags: those seen last stay.
distinct_observed as (
    select
        campaign_id,
        broadcast_id,
        observed_at,
        max(name) as name,
        max(tags) as tags,
        min(created_at) as created_at,
        max(max(tags_observed_at)) over (
            partition by campaign_id, broadcast_id
            order by observed_at
        ) as tags_observed_at
    from observed
    where observed_at is not null
    group by campaign_id, broadcast_id, observed_at
),

final as (
    select
        distinct_observed.campaign_id,
        distinct_observed.broadcast_id,
        distinct_observed.observed_at,
        distinct_observed.name,
        distinct_observed.created_at,
        seen.tags
    from distinct_observed
    left join distinct_observed as seen
        on
            distinct_observed.campaign_id = seen.campaign_id
            and distinct_observed.tags_observed_at = seen.observed_at
)

select * from final
