{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook=["{{ forget_touched(
            'delivery_id', touched_messages('int_api_message_metrics'), is_kept=true
        ) }}", "{{ read_again(ref('int_delivery_reports')) }}"],
        post_hook=["{{ record_loads(['customerio'], upstream='int_api_message_metrics') }}",
            "{{ drop_touched() }}"]
    )
}}

-- What to take is what the model before has taken, so it must have been built before.
-- depends_on: {{ ref('int_api_message_metrics') }}
{%- set columns = [
    'feed', 'delivery_id', 'profile_key', 'campaign_id', 'broadcast_id', 'newsletter_id',
    'transactional_message_id', 'action_id', 'parent_action_id', 'content_id', 'journey_id',
    'object_type', 'created_at', 'reported_at', 'version_number', 'version_at'
] %}

with delivery_reports as (
    select {{ columns | join(', ') }}
    from {{ ref('int_delivery_reports') }}
    {% if is_incremental() -%}
    where load_id in ({{ loads_to_take('customerio', upstream='int_api_message_metrics') }})

    union all

    -- What only webhooks have told stands for all of them, and no line is read twice. Of the other
    -- feeds the newest version counts, and takes back what an earlier one said.
    select
        {%- for column in columns %}
        {{ {'feed': 'feeds as feed', 'reported_at': 'first_reported_at as reported_at',
            'version_number': '0 as version_number', 'version_at': "cast('1970-01-01' as timestamp) as version_at"}.get(column, column) }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ beside('kept') }}
    where feeds = 'webhook'

    union all

    select {{ columns | join(', ') }}
    from {{ beside('again') }}
    {%- endif %}
),

-- The exports give every version of a row and the API every state that was seen; the newest counts.
newest as (
    select
        feed,
        delivery_id,
        max(version_number) as version_number,
        max(version_at) as version_at
    from delivery_reports
    where feed <> 'webhook'
    group by feed, delivery_id
),

told as (
    select delivery_reports.*
    from delivery_reports
    left join newest
        on
            delivery_reports.delivery_id = newest.delivery_id
            and delivery_reports.feed = newest.feed
    where
        delivery_reports.feed = 'webhook'
        or (
            delivery_reports.version_number = newest.version_number
            and delivery_reports.version_at = newest.version_at
        )
),

final as (
    select
        delivery_id,
        -- One delivery is to one profile. After a merge its later events name the profile that
        -- stayed; both lead to the same person.
        coalesce(
            min(profile_key) filter (where profile_key like 'cio:%'),
            min(profile_key) filter (where profile_key like 'id:%'),
            min(profile_key)
        ) as profile_key,
        max(campaign_id) as campaign_id,
        max(broadcast_id) as broadcast_id,
        max(newsletter_id) as newsletter_id,
        max(transactional_message_id) as transactional_message_id,
        max(action_id) as action_id,
        max(parent_action_id) as parent_action_id,
        max(content_id) as content_id,
        max(journey_id) as journey_id,
        max(object_type) as object_type,
        min(created_at) as created_at,
        min(reported_at) as first_reported_at,
        {{ told_by('feed') }} as feeds
    from told
    group by delivery_id
)

select * from final
