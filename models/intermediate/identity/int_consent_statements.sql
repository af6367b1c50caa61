{{ config(materialized='view') }}

{#- Of each feed: on which channel, when, and whether it is an opt-out. An attribute that is removed
    is a subscription; Customer.io reaches nobody it suppresses. -#}
{%- set words = {
    'message_events': ("coalesce(channel, 'all')", 'occurred_at', "metric = 'unsubscribed'"),
    'profiles': ("'all'", 'stated_at', 'is_opted_out'),
    'api_people': ("'all'", 'observed_at', 'is_unsubscribed'),
    'mparticle_opt_outs': ("'all'", 'occurred_at', 'is_opted_out'),
    'customerio_people': ("'all'", 'coalesce(updated_at, created_at)', 'true'),
    'export_attributes': (
        "'all'", 'changed_at', "coalesce(lower(attribute_value) in ('true', '1'), false)"
    ),
} -%}

with message_events as (
    select * from {{ ref('int_message_events') }}
    where metric in ('subscribed', 'unsubscribed') and occurred_at <= {{ as_of() }}
),

profiles as (
    select * from {{ ref('stg_people__consents') }}
    where is_opted_out is not null and coalesce(stated_at, {{ as_of() }}) <= {{ as_of() }}
),

api_people as (
    select * from {{ ref('stg_customerio__api_people') }}
    where is_unsubscribed is not null and observed_at <= {{ as_of() }}
),

mparticle_opt_outs as (
    select * from {{ ref('stg_mparticle__opt_outs') }}
    where occurred_at <= {{ as_of() }}
),

customerio_people as (
    select * from {{ ref('int_customerio_people') }}
    where is_suppressed
),

export_attributes as (
    select * from {{ ref('stg_customerio__export_attributes') }}
    where attribute_name = 'unsubscribed' and coalesce(changed_at, {{ as_of() }}) <= {{ as_of() }}
),

preferences as (
    select * from {{ ref('int_subscription_preferences') }}
    where channel is not null and coalesce(stated_at, {{ as_of() }}) <= {{ as_of() }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

-- An unsubscribe through a message opts out of that channel, one on the profile out of all.
told as (
    {%- for feed, (channel, stated_at, is_opted_out) in words.items() %}
    {{ 'union all' if not loop.first }}
    select
        profile_key,
        {{ channel }} as channel,
        {{ stated_at }} as stated_at,
        {{ is_opted_out }} as is_opted_out,
        {{ 'true' if feed == 'customerio_people' else 'false' }} as is_suppressed
    from {{ feed }}
    {%- endfor %}
),

final as (
    select
        profile_people.person_id,
        told.channel,
        told.stated_at,
        told.is_opted_out,
        told.is_suppressed
    from told
    inner join profile_people
        on told.profile_key = profile_people.profile_key

    union all

    select
        person_id,
        channel,
        stated_at,
        not is_subscribed as is_opted_out,
        false as is_suppressed
    from preferences
)

select * from final
