-- Names are for people. Whatever is counted by campaign_id goes through a rename in one piece, and
-- this says what the campaign was called at the time.
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

tagged as (
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
),

compared as (
    select
        *,
        lag(observed_at) over (
            partition by campaign_id, broadcast_id order by observed_at
        ) as last_observed_at,
        lag(name) over (
            partition by campaign_id, broadcast_id order by observed_at
        ) as last_name,
        lag(tags) over (
            partition by campaign_id, broadcast_id order by observed_at
        ) as last_tags
    from tagged
),

-- A campaign is also seen again when something else of it changes.
changes as (
    select
        campaign_id,
        broadcast_id,
        name,
        tags,
        -- It had the first name we know of from its beginning, as far as anybody can tell.
        case
            when last_observed_at is null then least(coalesce(created_at, observed_at), observed_at)
            else observed_at
        end as valid_from
    from compared
    where
        last_observed_at is null
        or name is distinct from last_name
        or tags is distinct from last_tags
),

final as (
    select
        campaign_id,
        broadcast_id,
        name,
        tags,
        valid_from,
        lead(valid_from) over (
            partition by campaign_id, broadcast_id order by valid_from
        ) as valid_to
    from changes
)

select * from final
