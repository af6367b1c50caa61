{%- set counts = ['deliveries', 'held_out', 'sent', 'delivered', 'human_opened', 'machine_opened',
    'human_clicked', 'human_clickers', 'conversions', 'unsubscribes', 'complaints', 'bounces',
    'withheld'] -%}
{%- set sums = ['human_opens', 'machine_opens', 'human_clicks', 'machine_clicks'] -%}
{%- set rates = [('human_open', 'human_opened'), ('click', 'human_clicked'),
    ('conversion', 'conversions'), ('unsubscribe', 'unsubscribes'), ('complaint', 'complaints')] -%}
{%- set ids = message_ids() -%}

-- All of history: a merge makes one clicker of two, and a taxonomy or an arm that changes tells old
-- days anew; finding these days reads as much as counting all.
with deliveries as (
    select
        *,
        {{ local_date('coalesce(sent_at, attempted_at, first_event_at)') }} as sent_on
    from {{ ref('deliveries') }}
),

message_names as (
    select * from {{ ref('int_message_names') }}
),

-- What a trapped delivery of a held-out person says is no performance; how many there were is kept.
counted as (
    select
        sent_on,
        message_key,
        {%- for id in ids %}
        max({{ id }}) as {{ id }},
        {%- endfor %}
        channel,
        max(message_class) as message_class,
        count(*) filter (where not is_ghost) as deliveries,
        count(*) filter (where is_ghost) as held_out,
        count(sent_at) filter (where not is_ghost) as sent,
        count(exposed_at) as delivered,
        count(first_human_opened_at) filter (where not is_ghost) as human_opened,
        count(first_opened_at) filter (where not is_ghost)
        - count(first_human_opened_at) filter (where not is_ghost) as machine_opened,
        count(first_human_clicked_at) filter (where not is_ghost) as human_clicked,
        count(distinct person_id) filter (
            where first_human_clicked_at is not null and not is_ghost
        ) as human_clickers,
        cast(sum(human_opens) filter (where not is_ghost) as bigint) as human_opens,
        cast(sum(machine_opens) filter (where not is_ghost) as bigint) as machine_opens,
        cast(sum(human_clicks) filter (where not is_ghost) as bigint) as human_clicks,
        cast(sum(machine_clicks) filter (where not is_ghost) as bigint) as machine_clicks,
        count(converted_at) filter (where not is_ghost) as conversions,
        count(unsubscribed_at) filter (where not is_ghost) as unsubscribes,
        count(spammed_at) filter (where not is_ghost) as complaints,
        count(bounced_at) filter (where not is_ghost) as bounces,
        count(coalesce(dropped_at, undeliverable_at, failed_at)) filter (
            where not is_ghost
        ) as withheld
    from deliveries
    group by sent_on, message_key, channel
),

final as (
    select
        counted.sent_on,
        counted.message_key,
        {%- for id in ids %}
        counted.{{ id }},
        {%- endfor %}

        coalesce(campaigns.object_name, newsletters.object_name) as campaign_name,
        actions.object_name as action_name,
        counted.channel,
        counted.message_class,
        {%- for count in counts %}
        counted.{{ count }},
        {%- endfor %}
        {%- for count in sums %}
        coalesce(counted.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        {%- for rate, count in rates %}
        cast(counted.{{ count }} as double) / nullif(counted.delivered, 0) as {{ rate }}_rate,
        {%- endfor %}
        cast(counted.bounces as double) / nullif(counted.sent, 0) as bounce_rate
    from counted
    left join message_names as campaigns
        on
            campaigns.object_kind = 'campaign'
            and counted.campaign_id = campaigns.object_id
    left join message_names as newsletters
        on
            newsletters.object_kind = 'newsletter'
            and counted.newsletter_id = newsletters.object_id
    left join message_names as actions
        on
            actions.object_kind = 'action'
            and counted.action_id = actions.object_id
)

select * from final
