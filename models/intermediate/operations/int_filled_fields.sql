{%- set feeds = {
    'messages': {
        'model': 'int_message_events', 'at': 'occurred_at',
        'series': "coalesce(channel, object_type, 'unknown') || ' ' || metric",
        'fields': {
            'person': 'profile_key', 'delivery': 'delivery_id', 'object type': 'object_type',
            'message': 'coalesce(campaign_id, broadcast_id, newsletter_id, transactional_message_id)',
            'link': 'coalesce(link_id, href)', 'device': 'device_platform',
        },
    },
    'orders': {
        'model': 'int_orders', 'at': 'ordered_at', 'series': "'orders'",
        'fields': {
            'person': 'profile_key', 'currency': 'currency', 'amount': 'total_amount',
            'acquisition channel': 'acquisition_channel',
        },
    },
    'behaviour': {
        'model': 'int_behaviour_events', 'at': 'occurred_at', 'series': 'event_type',
        'fields': {
            'person': 'profile_key', 'customer id': 'customer_id', 'e-mail': 'email',
            'name': 'event_name', 'products': 'product_ids',
        },
    },
} -%}
-- How many rows of each series have each field, in the last two days and in the four weeks before.
with {% for feed, one in feeds.items() -%}
{{ feed }} as (
    select
        *,
        {{ one.series }} as series,
        {{ one.at }} >= {{ window_start(2, 'day') }} as is_now
    from {{ ref(one.model) }}
    where {{ in_window(one.at, 30, 'day') }}
),

{% endfor -%}
final as (
    {%- for feed, one in feeds.items() %}
    {%- set outer = loop %}
    {%- for field, column in one.fields.items() %}
    {{ 'union all' if not (outer.first and loop.first) }}
    select
        '{{ feed }}' as feed,
        series,
        '{{ field }}' as field,
        count(*) filter (where not is_now) as rows_before,
        count(*) filter (where is_now) as rows_now,
        count({{ column }}) filter (where not is_now) as filled_before,
        count({{ column }}) filter (where is_now) as filled_now,
        min({{ one.at }}) filter (where is_now and {{ column }} is null) as first_lacking_at
    from {{ feed }}
    group by series
    {%- endfor %}
    {%- endfor %}
)

select * from final
