"""The SQL that reads mParticle's batches: documents, batches, and the events in them.

The shapes are those of https://docs.mparticle.com/developers/apis/json-reference/: a batch of one
user with `events`, each an `event_type` and its `data`. Ids are signed 64-bit integers, more than
a double holds: they are taken as the digits that stand in the text.
"""

from __future__ import annotations

import json

EARLIEST_MS = 31_536_000_000
"""1971: before, a timestamp is not one, or is in seconds."""
LATEST_MS = 7_258_118_400_000
"""2200: beyond, it is in microseconds."""

_TEXT = "VARCHAR"
_JSON = "JSON"

_BATCH = json.dumps(
    {
        **dict.fromkeys(("batch_id", "mpid", "timestamp_unixtime_ms", "mp_deviceid"), _TEXT),
        "environment": _TEXT,
        "events": [_JSON],
        **dict.fromkeys(("user_attributes", "deleted_user_attributes", "user_identities"), _JSON),
        "consent_state": _JSON,
        # what only legacy shapes have
        **dict.fromkeys(("dt", "msgs", "firehose_version", "EventName", "EventDataType"), _JSON),
        "event_type": _TEXT,
    }
)
_EVENT = json.dumps(
    {
        "event_type": _TEXT,
        **dict.fromkeys(("EventName", "EventDataType"), _JSON),
        "data": {
            **dict.fromkeys(
                (
                    "event_id",
                    "source_message_id",
                    "session_id",
                    "timestamp_unixtime_ms",
                    "event_name",
                    "custom_event_type",
                    "screen_name",
                    "currency_code",
                ),
                _TEXT,
            ),
            "custom_attributes": _JSON,
            "is_opted_out": "BOOLEAN",
            "product_action": {
                **dict.fromkeys(("action", "transaction_id", "total_amount"), _TEXT),
                "products": _JSON,
            },
            **dict.fromkeys(("new", "old"), _JSON),
        },
    }
)
_PRODUCTS = json.dumps(
    [dict.fromkeys(("id", "category", "price", "quantity", "total_product_amount"), _TEXT)]
)
_IDENTITIES = json.dumps([{"identity_type": _TEXT, "identity": _TEXT}])
_ATTRIBUTES = json.dumps(dict.fromkeys(("$FirstName", "$LastName", "created_at"), _TEXT))


def _milliseconds(text: str) -> str:
    """Whole milliseconds of a text, else null."""
    return (
        f"case when try_cast({text} as double) = try_cast({text} as bigint) "
        f"then try_cast({text} as bigint) end"
    )


def _instant(milliseconds: str) -> str:
    return (
        f"case when {milliseconds} between {EARLIEST_MS} and {LATEST_MS} "
        f"then make_timestamp({milliseconds} * 1000) end"
    )


def declared_instant(text: str) -> str:
    """An instant somebody wrote: unix seconds, unix milliseconds or ISO 8601."""
    return (
        f"case when regexp_full_match({text}, '[0-9]{{9,10}}') "
        f"then make_timestamp(try_cast({text} as bigint) * 1000000) "
        f"when regexp_full_match({text}, '[0-9]{{12,13}}') "
        f"then make_timestamp(try_cast({text} as bigint) * 1000) "
        f"when {text}[1] between '0' and '9' "
        f"then timezone('UTC', try_cast({text} as timestamp with time zone)) end"
    )


def _is_broken(text: str) -> str:
    """Whether an id was written as a float, which holds 53 bits of its 64, or is an object."""
    return f"regexp_full_match({text}, '-?[0-9]*[.eE][-+.eE0-9]*|[{{\\[].*')"


def _kind(name: str) -> str:
    """An identity type as one name, however it is spelled: customerid, customer_id, CustomerId."""
    return f"lower(replace({name}, '_', ''))"


def _identity(kind: str) -> str:
    return (
        f"nullif(trim(list_filter(identities, x -> {_kind('x.identity_type')} = '{kind}')"
        "[1].identity), '')"
    )


# A document is parsed once, into a struct. Only where the struct leaves room for doubt is it parsed
# again, for the types of its parts: what has events is an object with a list in it, for from_json
# gives null for those otherwise.
_KINDS = """case
    when batch.events is null then try(json_type(payload, ['$', '$.events']))
    else ['OBJECT', 'ARRAY']
end"""

# A line is one batch, or a list of them.
DOCUMENTS = f"""
create or replace temporary table documents as
with lines_parsed as (
    select source_line, payload, try(from_json(payload, '{_BATCH}')) as batch from lines
),

typed as (
    select *, {_KINDS} as kinds from lines_parsed
),

listed as (
    select source_line, try(from_json(payload, '["JSON"]')) as elements
    from typed
    where kinds[1] = 'ARRAY'
),

elements as (
    select
        source_line,
        generate_subscripts(elements, 1) as batch_position,
        unnest(elements)::varchar as payload
    from listed
),

elements_parsed as (
    select *, try(from_json(payload, '{_BATCH}')) as batch from elements
)

select source_line, 1 as batch_position, payload, batch, kinds
from typed
where kinds[1] is distinct from 'ARRAY'

union all

select source_line, batch_position, payload, batch, {_KINDS} as kinds
from elements_parsed
"""  # noqa: S608 - built from this module's constants alone

# What a batch is refused for; null for a good one.
BATCHES = f"""
create or replace temporary table batches as
with identified as (
    select
        *,
        case json_type(batch.user_identities)
            when 'OBJECT'
            then list_transform(
                map_entries(try_cast(batch.user_identities as map(varchar, varchar))),
                x -> {{'identity_type': x.key, 'identity': x.value}}
            )
            when 'ARRAY' then try(from_json(batch.user_identities, '{_IDENTITIES}'))
        end as identities,
        {_milliseconds("batch.timestamp_unixtime_ms")} as milliseconds,
        try(from_json(batch.user_attributes, '{_ATTRIBUTES}')) as attributes,
        coalesce(json_type(batch.user_attributes) = 'OBJECT', false) as has_attributes,
        coalesce(json_type(batch.deleted_user_attributes) = 'ARRAY', false) as has_deleted
    from documents
)

select
    source_line,
    batch_position,
    payload,
    batch.batch_id,
    batch.mpid,
    {_identity("customerid")} as customer_id,
    {_identity("email")} as email,
    {_identity("mobilenumber")} as phone,
    '{{' || nullif(array_to_string(list_transform(
        list_filter(
            identities,
            x -> x.identity is not null
                and {_kind("x.identity_type")} not in ('customerid', 'email', 'mobilenumber')
        ),
        x -> to_json(x.identity_type)::varchar || ':' || to_json(x.identity)::varchar
    ), ','), '') || '}}' as other_identities,
    batch.mp_deviceid as device_id,
    coalesce(batch.environment, 'production') as environment,
    {_instant("milliseconds")} as occurred_at,
    case when has_attributes then batch.user_attributes::varchar end as user_attributes,
    case when has_deleted then batch.deleted_user_attributes::varchar end as deleted_attributes,
    nullif(batch.consent_state::varchar, 'null') as consent,
    attributes,
    batch.events as events,
    case
        when payload is null then 'not valid UTF-8'
        when kinds is null then 'not valid JSON'
        when kinds[1] <> 'OBJECT' then 'not a JSON object'
        when batch.msgs is not null or batch.dt is not null
            then 'the compact format of the SDKs (dt, msgs): export whole batches'
        when batch.firehose_version is not null
            then 'a message of the Firehose SDK: export whole batches'
        when batch.EventName is not null or batch.EventDataType is not null
            then 'the legacy format of the web SDK (EventName): export whole batches'
        when kinds[2] is null and batch.event_type is not null
            then 'an event without its batch: it says neither who nor where'
        when kinds[2] not in ('ARRAY', 'NULL')
            then 'events is not a list'
        when {_is_broken("batch.mpid")} then 'mpid is not an integer: its digits are lost'
        when {_is_broken("batch.batch_id")} then 'batch_id is not an integer: its digits are lost'
        when coalesce(len(batch.events), 0) = 0
            and not has_attributes and not has_deleted and coalesce(len(identities), 0) = 0
            then 'neither events nor user attributes nor identities'
    end as reason
from identified
"""  # noqa: S608 - built from this module's constants alone

EVENTS = f"""
create or replace temporary table batch_events as
with listed as (
    select
        * exclude (payload, events, reason),
        generate_subscripts(events, 1) as event_position,
        unnest(events)::varchar as payload
    from batches
    where reason is null
),

parsed as (
    select *, try(from_json(payload, '{_EVENT}')) as event from listed
),

timed as (
    select
        *,
        event.data.timestamp_unixtime_ms as own_time,
        case
            when event.event_type is null or event.data.event_id is null
            then try(json_type(payload, ['$', '$.data']))
            else ['OBJECT', 'OBJECT']
        end as kinds,
        {_milliseconds("event.data.timestamp_unixtime_ms")} as milliseconds,
        try(from_json(event.data.product_action.products, '{_PRODUCTS}')) as products
    from parsed
)

select
    * exclude (occurred_at),
    case when own_time is null then occurred_at else {_instant("milliseconds")} end as occurred_at,
    case
        when kinds[1] is distinct from 'OBJECT' then 'an event is not a JSON object'
        when event.EventName is not null or event.EventDataType is not null
            then 'an event in the legacy format of the web SDK (EventName)'
        when coalesce(event.event_type, '') = '' then 'event_type is missing'
        when kinds[2] is distinct from 'OBJECT' then 'data is missing or not an object'
        when own_time is null and occurred_at is null
            then 'timestamp_unixtime_ms is missing, in the event and in its batch'
        when own_time is not null
            and coalesce(milliseconds not between {EARLIEST_MS} and {LATEST_MS}, true)
            then 'timestamp_unixtime_ms is not in unix milliseconds between 1971 and 2200'
        when {_is_broken("event.data.event_id")}
            then 'event_id is not an integer: its digits are lost'
        when event.event_type = 'custom_event' and coalesce(trim(event.data.event_name), '') = ''
            then 'event_name is missing'
        when event.event_type = 'screen_view' and coalesce(trim(event.data.screen_name), '') = ''
            then 'screen_name is missing'
        when event.event_type = 'opt_out' and event.data.is_opted_out is null
            then 'is_opted_out is missing'
    end as reason
from timed
"""  # noqa: S608 - built from this module's constants alone
