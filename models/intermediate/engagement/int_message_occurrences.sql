{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched('message_key', touched_messages('int_delivery_headers')) }}",
        post_hook="{{ record_loads(['customerio'], upstream='int_delivery_headers') }}"
    )
}}

with message_reports as (
    select
        *,
        coalesce(delivery_id, event_id) as message_key
    from {{ ref('int_message_reports') }}
    {% if is_incremental() -%}
    -- A duplicate, or another feed, may come at any time: all of a touched message is read again.
    where coalesce(delivery_id, event_id) in ({{ touched_messages('int_delivery_headers') }})
    {%- endif %}
),

-- Versions differ, if at all, in who is named: the person may have been deleted in between. The
-- one that names a person stands, and the text decides between equals, so that the order of
-- loading never does.
ranked as (
    select
        *,
        row_number() over (
            partition by feed, report_key
            order by
                version_number desc,
                profile_key nulls last,
                href nulls last,
                failure_message nulls last,
                is_machine nulls last,
                is_prefetched nulls last,
                is_proxied nulls last,
                is_synthetic nulls last,
                campaign_id nulls last,
                action_id nulls last,
                occurred_at asc
        ) as version_rank
    from message_reports
),

timed as (
    select
        *,
        case
            when {{ is_repeatable('metric') }} then occurred_at
            else cast('1970-01-01' as timestamp)
        end as matched_at,
        coalesce(link_id, href) as link
    from ranked
    where version_rank = 1
),

-- Where a feed leaves out the link of a click, those of its second are told apart by number alone.
unlinked as (
    select
        delivery_id,
        matched_at
    from timed
    where metric = 'clicked' and feed <> 'api' and delivery_id is not null
    group by delivery_id, matched_at
    having bool_or(link is null)
),

linked as (
    select
        timed.*,
        case
            when unlinked.delivery_id is null and timed.feed <> 'api'
                then coalesce(timed.link, '')
            else ''
        end as link_key
    from timed
    left join unlinked
        on
            timed.metric = 'clicked'
            and timed.delivery_id = unlinked.delivery_id
            and timed.matched_at = unlinked.matched_at
),

numbered as (
    select
        *,
        row_number() over (
            partition by feed, message_key, metric, matched_at, link_key
            order by
                occurred_at asc,
                coalesce(is_machine, is_prefetched) asc nulls last,
                report_key asc
        ) as number_of_link
    from linked
),

placed as (
    select
        *,
        dense_rank() over (
            partition by feed = 'api', message_key, metric, matched_at
            order by link_key, number_of_link
        ) as place
    from numbered
),

final as (
    select
        case
            when delivery_id is null then report_key
            else md5(
                delivery_id
                || '|' || metric
                || '|' || cast(matched_at as {{ dbt.type_string() }})
                || '|' || cast(place as {{ dbt.type_string() }})
            )
        end as message_event_id,
        feed,
        message_key,
        event_id,
        delivery_id,
        profile_key,
        object_type,
        metric,
        link_id,
        href,
        failure_message,
        device_platform,
        occurred_at,
        is_proxied,
        is_prefetched,
        is_synthetic,
        is_machine
    from placed
)

select * from final
