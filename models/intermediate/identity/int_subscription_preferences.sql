with statements as (
    select * from {{ ref('int_preference_statements') }}
),

profile_people as (
    select * from {{ ref('int_profile_people') }}
),

said as (
    select
        profile_people.person_id,
        statements.topic,
        statements.channel,
        statements.stated_at,
        statements.is_subscribed
    from statements
    inner join profile_people
        on statements.profile_key = profile_people.profile_key
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
