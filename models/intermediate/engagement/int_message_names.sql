-- The newest name of what sends messages. Names are for people: nothing is joined by them.
with campaign_names as (
    select * from {{ ref('int_campaign_names') }}
    where valid_to is null
),

newsletters as (
    select * from {{ ref('stg_customerio__newsletters') }}
),

campaign_actions as (
    select * from {{ ref('stg_customerio__campaign_actions') }}
),

observed as (
    select
        'campaign' as object_kind,
        campaign_id as object_id,
        name,
        valid_from as observed_at
    from campaign_names

    union all

    select
        'newsletter' as object_kind,
        newsletter_id as object_id,
        name,
        observed_at
    from newsletters

    union all

    select
        'action' as object_kind,
        action_id as object_id,
        name,
        observed_at
    from campaign_actions
),

final as (
    select
        object_kind,
        object_id,
        max_by(name, observed_at) as object_name
    from observed
    where object_id is not null and name is not null
    group by object_kind, object_id
)

select * from final
