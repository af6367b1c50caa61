-- What puts people on a rung of the suppression ladder, a row an occurrence and rule.
{{ config(materialized='view') }}

with orders as (
    select * from {{ ref('orders') }}
    where person_id is not null and not is_cancelled
),

human_clicks as (
    select * from {{ ref('human_clicks') }}
),

deliveries as (
    select * from {{ ref('deliveries') }}
    where person_id is not null
),

signals as (
    select
        'purchased' as signal_kind,
        order_id as source_id,
        person_id,
        ordered_at as occurred_at
    from orders

    union all

    select
        'clicked' as signal_kind,
        message_event_id as source_id,
        person_id,
        occurred_at
    from human_clicks

    union all

    select
        'clicked_promotion' as signal_kind,
        message_event_id as source_id,
        person_id,
        occurred_at
    from human_clicks
    where is_promotional

    union all

    select
        'clicked_cart' as signal_kind,
        message_event_id as source_id,
        person_id,
        occurred_at
    from human_clicks
    where message_class = 'cart'

    union all

    select
        'received' as signal_kind,
        delivery_id as source_id,
        person_id,
        exposed_at as occurred_at
    from deliveries
    where exposed_at is not null and coalesce(message_class, '') <> 'transactional'

    union all

    select
        'complained' as signal_kind,
        delivery_id as source_id,
        person_id,
        spammed_at as occurred_at
    from deliveries
    where spammed_at is not null
),

final as (
    select
        signal_kind,
        source_id,
        person_id,
        occurred_at
    from signals
    where occurred_at <= {{ as_of() }}
)

select * from final
