{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        pre_hook="{{ forget_touched(
            'message_key', touched_messages('int_delivery_headers'), is_kept=true,
            since=touched_since('int_delivery_headers'), at='occurred_at'
        ) }}",
        post_hook=["{{ record_loads(['customerio'], upstream='int_delivery_headers') }}",
            "{{ drop_touched() }}"]
    )
}}

-- What to take is what the model before has taken, so it must have been built before.
-- depends_on: {{ ref('int_delivery_headers') }}
{%- set columns = [
    'feed', 'report_key', 'version_number', 'event_id', 'delivery_id', 'profile_key', 'campaign_id',
    'action_id', 'object_type', 'metric', 'link_id', 'href', 'failure_message', 'device_platform',
    'occurred_at', 'is_proxied', 'is_prefetched', 'is_synthetic', 'is_machine'
] %}

with message_reports as (
    select {{ columns | join(', ') }}
    from {{ ref('int_message_reports') }}
    {% if is_incremental() -%}
    where load_id in ({{ loads_to_take('customerio', upstream='int_delivery_headers') }})

    union all

    -- The API tells all of a message again, and may take something back.
    select {{ columns | join(', ') }}
    from {{ ref('int_message_reports') }}
    where feed = 'api' and delivery_id in ({{ touched_keys() }})

    union all

    -- A duplicate, or another feed, may come at any time: what was known of a touched message is
    -- put in order with what is new. No line is read twice.
    select {{ columns | join(', ') }}
    from {{ beside('kept') }}
    where feed <> 'api'
    {%- endif %}
),

-- Most reports come once; only the others are put in order.
repeated as (
    select
        feed,
        report_key
    from message_reports
    group by feed, report_key
    having count(*) > 1
),

-- Versions differ, if at all, in who is named: the person may have been deleted in between. The
-- one that names a person stands, and the text decides between equals, so that the order of
-- loading never does.
ranked as (
    select
        message_reports.*,
        row_number() over (
            partition by message_reports.feed, message_reports.report_key
            order by
                message_reports.version_number desc,
                message_reports.profile_key asc nulls last,
                message_reports.href asc nulls last,
                message_reports.failure_message asc nulls last,
                message_reports.is_machine asc nulls last,
                message_reports.is_prefetched asc nulls last,
                message_reports.is_proxied asc nulls last,
                message_reports.is_synthetic asc nulls last,
                message_reports.campaign_id asc nulls last,
                message_reports.action_id asc nulls last,
                message_reports.occurred_at asc
        ) as version_rank
    from message_reports
    inner join repeated
        on
            message_reports.feed = repeated.feed
            and message_reports.report_key = repeated.report_key
),

newest as (
    select
        message_reports.*,
        1 as version_rank
    from message_reports
    left join repeated
        on
            message_reports.feed = repeated.feed
            and message_reports.report_key = repeated.report_key
    where repeated.report_key is null

    union all

    select * from ranked
    where version_rank = 1
),

timed as (
    select
        *,
        case
            when {{ is_repeatable('metric') }} then occurred_at
            else cast('1970-01-01' as timestamp)
        end as matched_at,
        coalesce(delivery_id, event_id) as message_key,
        coalesce(link_id, href) as link
    from newest
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

-- Where a message has several of one metric in one second, which is which is told by their order.
crowded as (
    select
        feed = 'api' as is_api,
        message_key,
        metric,
        matched_at
    from linked
    group by feed = 'api', message_key, metric, matched_at
    having
        min(link_key) <> max(link_key)
        or count(*) filter (where feed = 'webhook') > 1
        or count(*) filter (where feed <> 'webhook') > 1
),

numbered as (
    select
        linked.feed,
        linked.report_key,
        linked.message_key,
        linked.metric,
        linked.matched_at,
        linked.link_key,
        row_number() over (
            partition by
                linked.feed, linked.message_key, linked.metric, linked.matched_at, linked.link_key
            order by
                linked.occurred_at asc,
                coalesce(linked.is_machine, linked.is_prefetched) asc nulls last,
                linked.report_key asc
        ) as number_of_link
    from linked
    inner join crowded
        on
            linked.message_key = crowded.message_key
            and linked.metric = crowded.metric
            and linked.matched_at = crowded.matched_at
            and (linked.feed = 'api') = crowded.is_api
),

places as (
    select
        feed,
        report_key,
        dense_rank() over (
            partition by feed = 'api', message_key, metric, matched_at
            order by link_key, number_of_link
        ) as place
    from numbered
),

placed as (
    select
        linked.*,
        coalesce(places.place, 1) as place
    from linked
    left join places
        on linked.feed = places.feed and linked.report_key = places.report_key
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
        report_key,
        version_number,
        message_key,
        event_id,
        delivery_id,
        profile_key,
        campaign_id,
        action_id,
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
