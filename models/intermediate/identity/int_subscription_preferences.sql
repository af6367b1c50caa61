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

profile_people as (
    select * from {{ ref('int_profile_people') }}
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

worded as (
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
),

said as (
    select
        profile_people.person_id,
        worded.topic,
        worded.channel,
        worded.stated_at,
        worded.is_subscribed
    from worded
    inner join profile_people
        on worded.profile_key = profile_people.profile_key
),

-- Feeds tell it again whenever anything else of a profile changes: a choice was made when it was
-- first told. Of two at one instant the refusal is the later.
changes as (
    select
        *,
        lag(is_subscribed) over (
            partition by person_id, topic, channel
            order by stated_at asc nulls first, is_subscribed desc
        ) as was_subscribed
    from said
),

final as (
    select
        person_id,
        topic,
        channel,
        stated_at,
        is_subscribed
    from changes
    where was_subscribed is null or was_subscribed <> is_subscribed
)

select * from final
