{%- set counts = [
    'sends', 'deliveries', 'human_opens', 'machine_opens', 'human_clicks', 'machine_clicks'
] -%}
{%- set ids = message_ids() -%}

-- Whose an event is, is not asked here: that would be one more look-up for each.
-- All of history: which deliveries are ghosts, the arms of experiments say for all that was ever
-- sent.
with message_events as (
    select * from {{ ref('int_message_events') }}
    where
        metric in ('sent', 'delivered', 'opened', 'clicked', 'converted')
        and delivery_id is not null
        and occurred_at <= {{ as_of() }}
),

ghost_deliveries as (
    select * from {{ ref('int_ghost_deliveries') }}
),

received as (
    select message_events.*
    from message_events
    left join ghost_deliveries
        on message_events.delivery_id = ghost_deliveries.delivery_id
    where ghost_deliveries.delivery_id is null
),

-- Messages and devices are few: what they are called is asked of them, not of every event.
counted as (
    select
        {{ ids | join(',\n        ') }},
        channel,
        device_platform,
        count(*) filter (where metric = 'sent') as sends,
        count(*) filter (where metric = 'delivered') as deliveries,
        count(*) filter (where metric = 'opened' and is_human) as human_opens,
        count(*) filter (where metric = 'opened' and not is_human) as machine_opens,
        count(*) filter (where metric = 'clicked' and is_human) as human_clicks,
        count(*) filter (where metric = 'clicked' and not is_human) as machine_clicks,
        count(*) filter (where metric = 'converted') as conversions
    from received
    group by
        {{ ids | join(',\n        ') }},
        channel,
        device_platform
),

final as (
    select
        {{ message_key() }} as message_key,
        channel,
        -- E-mail and SMS do not tell; then it is unknown, and the sums still hold.
        coalesce(lower(device_platform), 'unknown') as device_platform,
        {%- for count in counts %}
        cast(sum({{ count }}) as bigint) as {{ count }},
        {%- endfor %}
        cast(sum(conversions) as bigint) as conversions
    from counted
    group by
        {{ message_key() }},
        channel,
        coalesce(lower(device_platform), 'unknown')
)

select * from final
