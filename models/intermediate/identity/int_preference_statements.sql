{{ config(materialized='view') }}

with api_people as (
    select * from {{ ref('stg_customerio__api_people') }}
),

profiles as (
    select * from {{ ref('stg_people__consents') }}
),

export_attributes as (
    select * from {{ ref('stg_customerio__export_attributes') }}
    where attribute_name = 'cio_subscription_preferences'
),

preference_changes as (
    select * from {{ ref('int_preference_changes') }}
),

topic_departures as (
    select * from {{ ref('int_topic_departures') }}
),

-- The attribute is an object, or a text that holds one; either way this is its text.
told as (
    select
        profile_key,
        observed_at as stated_at,
        {{ json_text('attributes', 'cio_subscription_preferences') }} as preferences
    from api_people

    union all

    select
        profile_key,
        stated_at,
        preferences
    from profiles

    union all

    select
        profile_key,
        changed_at as stated_at,
        attribute_value as preferences
    from export_attributes

    union all

    select
        profile_key,
        occurred_at as stated_at,
        preferences
    from preference_changes
),

kinds as (
    {{ json_entries('told', 'preferences', ['profile_key', 'stated_at']) }}
),

listed as (
    select
        profile_key,
        stated_at,
        name as kind,
        value as choices
    from kinds
    where name in ('topics', 'channels')
),

choices as (
    {{ json_entries('listed', 'choices', ['profile_key', 'stated_at', 'kind']) }}
),

final as (
    select
        profile_key,
        case when kind = 'topics' then lower(trim(name)) end as topic,
        case when kind = 'channels' then {{ normalise_object_type('name') }} end as channel,
        stated_at,
        lower(value) in ('true', '1') as is_subscribed
    from choices
    where lower(value) in ('true', 'false', '1', '0')

    union all

    select
        profile_key,
        topic,
        cast(null as {{ dbt.type_string() }}) as channel,
        occurred_at as stated_at,
        false as is_subscribed
    from topic_departures
)

select * from final
