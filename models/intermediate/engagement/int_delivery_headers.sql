{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('delivery_id', touched_messages('int_api_message_metrics')) }}",
        post_hook="{{ record_loads(['customerio'], upstream='int_api_message_metrics') }}"
    )
}}

-- What to take is what the model before has taken, so it must have been built before.
-- depends_on: {{ ref('int_api_message_metrics') }}
with delivery_reports as (
    select * from {{ ref('int_delivery_reports') }}
    {% if is_incremental() -%}
    where delivery_id in ({{ touched_messages('int_api_message_metrics') }})
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
        {{ told_by('feed') }} as feeds
    from told
    group by delivery_id
)

select * from final
