{%- set ids = message_ids() -%}

-- All of history: the taxonomy classes what was sent in any year.
with deliveries as (
    select * from {{ ref('deliveries') }}
),

final as (
    select
        {{ message_key() }} as message_key,
        {{ ids | join(',\n        ') }},
        message_class,
        max(first_event_at) as last_seen_at,
        count(*) as deliveries,
        count(*) filter (where message_class is null) as unclassified_deliveries
    from deliveries
    group by
        {{ ids | join(',\n        ') }},
        message_class
)

select * from final
