{%- set windows = [1, 7, 14, 30] -%}
{%- set channels = ['email', 'sms', 'push', 'in_app', 'whatsapp'] -%}
{%- set kinds = ['', 'promotional_', 'transactional_', 'email_', 'sms_', 'push_', 'in_app_',
    'whatsapp_', 'undeliverable_'] -%}
{%- set points = var('fatigue_points') -%}

with deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
    where occurred_at <= {{ as_of() }}
),

person_caps as (
    select * from {{ ref('person_caps') }}
    where is_reached
),

fatigue_tiers as (
    select * from {{ ref('fatigue_tiers') }}
),

-- Of all of history only the last message is asked.
last_messages as (
    select
        person_id,
        max(exposed_at) as last_exposed_at
    from deliveries
    where exposed_at <= {{ as_of() }}
    group by person_id
),

recent_deliveries as (
    select
        last_messages.person_id,
        last_messages.last_exposed_at,
        deliveries.channel,
        deliveries.message_class,
        deliveries.is_promotional,
        deliveries.exposed_at,
        deliveries.undeliverable_at
    from last_messages
    left join deliveries
        on
            last_messages.person_id = deliveries.person_id
            and (
                {{ in_window('deliveries.exposed_at', windows[-1], 'day') }}
                or {{ in_window('deliveries.undeliverable_at', windows[-1], 'day') }}
            )
),

pressure as (
    select
        person_id,
        {%- for days in windows %}
        count(*) filter (where {{ in_window('exposed_at', days, 'day') }}) as messages_{{ days }}d,
        count(*) filter (
            where is_promotional and {{ in_window('exposed_at', days, 'day') }}
        ) as promotional_messages_{{ days }}d,
        count(*) filter (
            where message_class = 'transactional' and {{ in_window('exposed_at', days, 'day') }}
        ) as transactional_messages_{{ days }}d,
        {%- for channel in channels %}
        count(*) filter (
            where channel = '{{ channel }}' and {{ in_window('exposed_at', days, 'day') }}
        ) as {{ channel }}_messages_{{ days }}d,
        {%- endfor %}
        -- Customer.io withheld it, as a rule because of its own message limit.
        count(*) filter (
            where {{ in_window('undeliverable_at', days, 'day') }}
        ) as undeliverable_messages_{{ days }}d,
        {%- endfor %}
        max(last_exposed_at) as last_exposed_at
    from recent_deliveries
    group by person_id
),

responses as (
    select
        person_id,
        {%- for days in windows %}
        count(*) filter (where {{ in_window('occurred_at', days, 'day') }}) as clicks_{{ days }}d,
        {%- endfor %}
        max(occurred_at) as last_clicked_at
    from human_clicks
    group by person_id
),

-- The cap that keeps its person waiting longest is the one that binds.
caps as (
    select
        person_id,
        cap_id as cap_reached,
        next_free_at,
        row_number() over (
            partition by person_id
            order by next_free_at desc, cap_id asc
        ) as cap_rank
    from person_caps
),

joined as (
    select
        pressure.*,
        responses.last_clicked_at,
        caps.cap_reached,
        {%- for days in windows %}
        coalesce(responses.clicks_{{ days }}d, 0) as clicks_{{ days }}d,
        {%- endfor %}
        caps.next_free_at
    from pressure
    left join responses
        on pressure.person_id = responses.person_id
    left join caps
        on
            pressure.person_id = caps.person_id
            and caps.cap_rank = 1
),

-- Receipts and the like are no pressure; what was clicked relieves it.
weighed as (
    select
        *,
        {{ points.message_7d }} * (messages_7d - transactional_messages_7d)
        + {{ points.message_14d }} * (
            messages_14d - transactional_messages_14d
            - messages_7d + transactional_messages_7d
        )
        + {{ points.message_30d }} * (
            messages_30d - transactional_messages_30d
            - messages_14d + transactional_messages_14d
        )
        + {{ points.undeliverable_14d }} * undeliverable_messages_14d
        - {{ points.click_14d }} * clicks_14d
        - {{ points.click_30d }} * (clicks_30d - clicks_14d) as points
    from joined
),

scored as (
    select
        *,
        cast(least(100, greatest(0, points)) as double) as score
    from weighed
),

tiers as (
    select
        *,
        lead(score_from) over (order by score_from) as next_score_from
    from fatigue_tiers
),

final as (
    select
        scored.person_id,
        scored.cap_reached,
        scored.last_exposed_at,
        scored.last_clicked_at,
        scored.next_free_at,
        {%- for kind in kinds %}
        {%- for days in windows %}
        scored.{{ kind ~ 'messages_' ~ days ~ 'd' }},
        {%- endfor %}
        {%- endfor %}
        {%- for days in windows %}
        scored.clicks_{{ days }}d,
        {%- endfor %}
        scored.score,
        tiers.tier
    from scored
    left join tiers
        on
            scored.score >= tiers.score_from
            and (tiers.next_score_from is null or scored.score < tiers.next_score_from)
)

select * from final
