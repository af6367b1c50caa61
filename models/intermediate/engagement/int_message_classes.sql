{%- set ids = message_ids() -%}

-- All of history: which messages there are; the taxonomy may have a new word for each.
with deliveries as (
    select * from {{ ref('int_deliveries') }}
),

message_taxonomy as (
    select
        *,
        -- A row that fills more ids says more.
        {%- for id in ids %}
        {{ '+ ' if not loop.first }}case when {{ id }} is null then 0 else 1 end
        {%- endfor %} as filled_ids
    from {{ ref('message_taxonomy') }}
),

-- Messages are few: what one is called is asked of it, not of every delivery.
sent as (
    select distinct
        {{ ids | join(',\n        ') }}
    from deliveries
),

messages as (
    select
        *,
        {{ message_key() }} as message_key
    from sent
),

-- An id that a row of the taxonomy leaves empty says nothing; one that it fills must be equal.
matched as (
    select
        messages.*,
        message_taxonomy.message_class,
        message_taxonomy.is_promotional,
        message_taxonomy.offers_discount,
        row_number() over (
            partition by messages.message_key
            order by
                message_taxonomy.filled_ids desc nulls last,
                message_taxonomy.action_id asc nulls last,
                message_taxonomy.content_id asc nulls last,
                message_taxonomy.message_class asc nulls last
        ) as match_rank
    from messages
    left join message_taxonomy
        on
            message_taxonomy.filled_ids > 0
            and (
                message_taxonomy.campaign_id is null
                or messages.campaign_id = message_taxonomy.campaign_id
            )
            and (
                message_taxonomy.broadcast_id is null
                or messages.broadcast_id = message_taxonomy.broadcast_id
            )
            and (
                message_taxonomy.newsletter_id is null
                or messages.newsletter_id = message_taxonomy.newsletter_id
            )
            and (
                message_taxonomy.transactional_message_id is null
                or messages.transactional_message_id = message_taxonomy.transactional_message_id
            )
            and (
                message_taxonomy.action_id is null
                or messages.action_id = message_taxonomy.action_id
            )
            and (
                message_taxonomy.content_id is null
                or messages.content_id = message_taxonomy.content_id
            )
),

final as (
    select
        message_key,
        {{ ids | join(',\n        ') }},
        message_class,
        is_promotional,
        offers_discount
    from matched
    where match_rank = 1
)

select * from final
