"""The SQL that makes rows of batches and events as they were read, one query a table."""

from __future__ import annotations

import json

from loaders.mparticle.statements import declared_instant

_IDENTITY = json.dumps(dict.fromkeys(("identity_type", "identity"), "VARCHAR"))

_EVENT_PLACE = "source_line, batch_position, event_position"

_PRODUCT_AMOUNT = (
    "coalesce(try_cast(x.total_product_amount as decimal(18, 4)), "
    "cast(try_cast(x.price as decimal(18, 4)) * try_cast(x.quantity as decimal(9, 3)) "
    "as decimal(18, 4)))"
)


def _named(field: str) -> str:
    """JSON text of a field of every product that has it; null without products."""
    found = f"list_filter(list_transform(products, x -> x.{field}), x -> x is not null)"
    return f"case when products is not null then to_json({found})::varchar end"


SELECT_EVENTS = f"""
select
    batch_id,
    event.data.event_id as event_id,
    event.data.source_message_id as source_message_id,
    event.data.session_id as session_id,
    mpid,
    customer_id,
    email,
    phone,
    other_identities,
    device_id,
    event.event_type as event_type,
    event.data.event_name as event_name,
    event.data.custom_event_type as custom_event_type,
    event.data.screen_name as screen_name,
    occurred_at,
    event.data.product_action.action as product_action,
    event.data.product_action.transaction_id as transaction_id,
    event.data.product_action.products::varchar as products,
    {_named("id")} as product_ids,
    {_named("category")} as product_categories,
    try_cast(event.data.product_action.total_amount as decimal(18, 4)) as total_amount,
    case
        when len(list_filter(products, x -> {_PRODUCT_AMOUNT} is null)) = 0
        then try_cast(
            list_sum(list_transform(products, x -> {_PRODUCT_AMOUNT})) as decimal(18, 4)
        )
    end as products_amount,
    event.data.currency_code as currency,
    nullif(event.data.custom_attributes::varchar, 'null') as attributes,
    user_attributes,
    consent,
    environment,
    payload,
    {_EVENT_PLACE}
from batch_events
where reason is null
order by {_EVENT_PLACE}
"""  # noqa: S608 - built from this module's constants alone

SELECT_USER_ATTRIBUTES = f"""
with event_times as (
    select source_line, batch_position, max(occurred_at) as newest_at
    from batch_events
    where reason is null
    group by source_line, batch_position
)

select
    batch_id,
    mpid,
    customer_id,
    email,
    phone,
    device_id,
    attributes."$FirstName" as first_name,
    attributes."$LastName" as last_name,
    {declared_instant("attributes.created_at")} as created_at,
    coalesce(batches.occurred_at, event_times.newest_at) as occurred_at,
    user_attributes as attributes,
    deleted_attributes,
    environment,
    source_line,
    batch_position
from batches
left join event_times using (source_line, batch_position)
where
    reason is null
    and (
        user_attributes is not null
        or deleted_attributes is not null
        or coalesce(len(events), 0) = 0
    )
"""  # noqa: S608 - built from this module's constants alone

SELECT_IDENTITY_CHANGES = f"""
with changed as (
    select
        *,
        try(from_json(event.data.new, '{_IDENTITY}')) as new_identity,
        try(from_json(event.data.old, '{_IDENTITY}')) as old_identity
    from batch_events
    where reason is null and event.event_type = 'user_identity_change'
)

select
    batch_id,
    event.data.event_id as event_id,
    mpid,
    customer_id,
    email,
    coalesce(new_identity.identity_type, old_identity.identity_type) as identity_type,
    nullif(trim(old_identity.identity), '') as old_identity,
    nullif(trim(new_identity.identity), '') as new_identity,
    occurred_at,
    {_EVENT_PLACE}
from changed
"""  # noqa: S608 - built from this module's constants alone

SELECT_OPT_OUTS = f"""
select
    batch_id,
    event.data.event_id as event_id,
    mpid,
    customer_id,
    email,
    occurred_at,
    event.data.is_opted_out as is_opted_out,
    {_EVENT_PLACE}
from batch_events
where reason is null and event.event_type = 'opt_out'
"""  # noqa: S608 - built from this module's constants alone

# A batch that is a whole line keeps the bytes of the line, which may not be text.
SELECT_REFUSED = """
with refused as (
    select
        batches.reason,
        batches.source_line,
        coalesce(encode(batches.payload), originals.value) as original_bytes,
        batches.batch_position,
        0 as event_position
    from batches
    left join originals using (source_line)
    where batches.reason is not null

    union all

    select reason, source_line, encode(payload), batch_position, event_position
    from batch_events
    where reason is not null
)

select reason, source_line, original_bytes
from refused
order by source_line, batch_position, event_position
"""
