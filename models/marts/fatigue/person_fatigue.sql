{%- set windows = [1, 7, 14, 30] -%}
{%- set kinds = ['', 'promotional_', 'transactional_', 'email_', 'sms_', 'push_', 'in_app_',
    'whatsapp_', 'undeliverable_'] -%}
{%- set points = var('fatigue_points') -%}

with person_pressure as (
    select * from {{ ref('int_person_pressure') }}
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
        person_pressure.*,
        responses.last_clicked_at,
        caps.cap_reached,
        {%- for days in windows %}
        coalesce(responses.clicks_{{ days }}d, 0) as clicks_{{ days }}d,
        {%- endfor %}
        caps.next_free_at
    from person_pressure
    left join responses
        on person_pressure.person_id = responses.person_id
    left join caps
        on
            person_pressure.person_id = caps.person_id
            and caps.cap_rank = 1
),

-- Receipts and the like are no pressure; what was clicked relieves it.
scored as (
    select
        *,
        cast(least(100, greatest(
            0,
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
            - {{ points.click_30d }} * (clicks_30d - clicks_14d)
        )) as double) as score
    from joined
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
