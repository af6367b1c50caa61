with campaign_performance_daily as (
    select * from {{ ref('campaign_performance_daily') }}
),

-- Nothing that changes with every message: the whole table is sent again when a word of it changes.
campaigns as (
    select
        campaign_id,
        max(campaign_name) as campaign_name,
        case when min(channel) < max(channel) then 'several' else min(channel) end as channel,
        max(message_class) as message_class,
        min(sent_on) as first_sent_on
    from campaign_performance_daily
    where campaign_id is not null
    group by campaign_id
),

written as (
    select
        campaign_id,
        {{ json_object([
            ('campaign_id', 'campaign_id'),
            ('campaign_name', 'campaign_name'),
            ('channel', 'channel'),
            ('message_class', 'message_class'),
            ('first_sent_on', 'cast(first_sent_on as ' ~ dbt.type_string() ~ ')'),
        ]) }} as campaign
    from campaigns
),

listed as (
    select
        '{"rows":['
        || {{ dbt.listagg('campaign', "','", 'order by campaign_id') }}
        || ']}' as payload
    from written
),

final as (
    select
        'campaigns' as record_key,
        cast(null as {{ dbt.type_string() }}) as person_id,
        cast(null as timestamp) as occurred_at,
        '' as label,
        payload,
        md5(payload) as fingerprint
    from listed
    where payload is not null
)

select * from final
