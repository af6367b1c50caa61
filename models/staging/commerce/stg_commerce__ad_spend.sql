with source as (
    select * from {{ source('commerce', 'ad_spend') }}
),

complete_loads as (
    {{ timed_loads('commerce') }}
),

-- Platforms restate a day for weeks; of versions without a time the one that was loaded later
-- stands.
ranked as (
    select
        source.*,
        row_number() over (
            partition by
                source.platform,
                source.account_id,
                coalesce(source.campaign_id, source.campaign_name),
                source.ad_group_id,
                source.ad_id,
                source.spent_on
            order by
                source.updated_at desc nulls last,
                complete_loads.loaded_at desc,
                source.source_line desc nulls last,
                source.payload desc
        ) as version_rank
    from source
    inner join complete_loads
        on source._dlt_load_id = complete_loads.load_id
),

renamed as (
    select
        lower(trim(platform)) as platform,
        account_id,
        coalesce(campaign_id, campaign_name) as campaign_key,
        campaign_id,
        campaign_name,
        ad_group_id,
        ad_id,
        spent_on,
        updated_at,
        upper(trim(currency)) as currency,
        spend,
        coalesce(impressions, 0) as impressions,
        coalesce(clicks, 0) as clicks
    from ranked
    where version_rank = 1
)

select * from renamed
