-- Names are for people. Whatever is counted by campaign_id goes through a rename in one piece, and
-- this says what the campaign was called at the time.
with sightings as (
    select * from {{ ref('int_campaign_sightings') }}
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
    from sightings
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
