with ad_spend as (
    select * from {{ ref('stg_commerce__ad_spend') }}
    where spent_on <= {{ local_date(as_of()) }}
),

reporting_rates as (
    select * from {{ ref('int_reporting_rates') }}
),

totals as (
    select
        platform,
        coalesce(account_id, '') as account_id,
        campaign_key,
        coalesce(currency, '') as currency,
        spent_on,
        max(campaign_name) as campaign_name,
        sum(spend) as spend,
        sum(impressions) as impressions,
        sum(clicks) as clicks
    from ad_spend
    group by platform, account_id, campaign_key, currency, spent_on
),

final as (
    select
        totals.platform,
        totals.account_id,
        totals.campaign_key,
        totals.campaign_name,
        totals.currency,

        totals.spent_on,

        cast(totals.spend as decimal(18, 4)) as spend,
        cast(totals.spend * reporting_rates.rate as decimal(18, 4)) as reporting_spend,
        cast(totals.impressions as bigint) as impressions,
        cast(totals.clicks as bigint) as clicks
    from totals
    left join reporting_rates
        on
            totals.currency = reporting_rates.currency
            and totals.spent_on >= reporting_rates.valid_from
            and totals.spent_on < reporting_rates.valid_before
)

select * from final
