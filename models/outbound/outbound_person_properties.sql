with person_fatigue as (
    select * from {{ ref('person_fatigue') }}
),

suppression_ladder as (
    select * from {{ ref('suppression_ladder') }}
),

channel_affinity as (
    select * from {{ ref('channel_affinity') }}
),

people as (
    select * from {{ ref('people') }}
),

preferred_channels as (
    select
        person_id,
        min(channel) as channel
    from channel_affinity
    where is_preferred
    group by person_id
),

-- A null never overwrites, so what no longer holds has a word of its own.
described as (
    select
        person_fatigue.person_id,
        {{ json_object([
            ('cio_fatigue_tier', "coalesce(person_fatigue.tier, 'none')"),
            ('cio_fatigue_score', 'person_fatigue.score'),
            ('cio_messages_7d', 'person_fatigue.messages_7d'),
            ('cio_messages_30d', 'person_fatigue.messages_30d'),
            ('cio_clicks_30d', 'person_fatigue.clicks_30d'),
            ('cio_preferred_channel', "coalesce(preferred_channels.channel, 'none')"),
            ('cio_suppressed_because', "coalesce(suppression_ladder.reason, 'none')"),
        ]) }} as payload
    from person_fatigue
    left join preferred_channels
        on person_fatigue.person_id = preferred_channels.person_id
    left join suppression_ladder
        on person_fatigue.person_id = suppression_ladder.person_id
),

final as (
    select
        md5(described.person_id || '|properties') as record_key,
        described.person_id,
        people.customer_id,
        people.email,
        people.cio_id,
        cast(null as timestamp) as occurred_at,
        '' as label,
        described.payload,
        md5(described.payload) as fingerprint
    from described
    inner join people
        on described.person_id = people.person_id
)

select * from final
