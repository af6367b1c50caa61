-- Until when each feed is whole: what its loads declared, or its newest row, whichever is later,
-- and never after `as_of`. An experiment's people are mature only before it.
-- All of history: one column of it, for the newest instant.
with customerio_loads as (
    select * from {{ ref('stg_customerio__feed_loads') }}
),

commerce_loads as (
    select * from {{ ref('stg_commerce__feed_loads') }}
),

mparticle_loads as (
    select * from {{ ref('stg_mparticle__feed_loads') }}
),

behaviour_events as (
    select * from {{ ref('int_behaviour_events') }}
),

message_events as (
    select * from {{ ref('int_message_events') }}
),

orders as (
    select * from {{ ref('int_orders') }}
),

candidates as (
    select
        'messages' as feed,
        max(complete_through) as complete_through
    from customerio_loads
    -- Each of them tells the whole history of messages, so it is whole through the newest.
    where feed in ('webhooks', 'exports', 'api_messages')

    union all

    select
        'messages' as feed,
        max(occurred_at) as complete_through
    from message_events
    where occurred_at <= {{ as_of() }}

    union all

    select
        'orders' as feed,
        max(complete_through) as complete_through
    from commerce_loads
    where feed = 'orders'

    union all

    select
        'orders' as feed,
        max(ordered_at) as complete_through
    from orders
    where ordered_at <= {{ as_of() }}

    union all

    select
        'mparticle' as feed,
        max(complete_through) as complete_through
    from mparticle_loads
    where feed = 'mparticle'

    union all

    select
        'mparticle' as feed,
        max(occurred_at) as complete_through
    from behaviour_events
    where occurred_at <= {{ as_of() }}

    union all

    -- Where its purchases are the orders, what it declares holds for them.
    select
        'orders' as feed,
        max(complete_through) as complete_through
    from mparticle_loads
    where feed = 'mparticle' and {{ var('orders_from_mparticle') }}
),

final as (
    select
        feed,
        least(max(complete_through), {{ as_of() }}) as complete_through
    from candidates
    group by feed
    having max(complete_through) is not null
)

select * from final
