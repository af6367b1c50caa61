"""Reporting webhooks: one event a line, as Customer.io posted it.

The shape is that of https://docs.customer.io/integrations/api/webhooks/: an envelope of
`event_id`, `object_type`, `metric`, `timestamp` (unix seconds) and `data`. Every id in `data` is
optional, ids come as numbers or as texts, and metrics or object types not known here are data.
"""

from __future__ import annotations

import json
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from loaders.bookkeeping import quarantine, quarantine_lines
from loaders.customerio.tables import DATASET, TABLES, WEBHOOK_COLUMNS, WEBHOOK_EVENTS
from loaders.feeds import Feed, OptOuts, Parsed, Preferences
from loaders.lines import Lines, read_lines
from loaders.locations import File, open_file
from loaders.receiver.envelope import open_envelopes
from loaders.receiver.opt_outs import OPT_OUT_METRICS
from warehouse.raw_tables import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import duckdb

FEED = "webhooks"
SUFFIXES = (".jsonl", ".ndjson", ".json", ".jsonl.gz", ".ndjson.gz", ".json.gz")

_EARLIEST_SECONDS = 31_536_000
"""1971: before, a timestamp is not one; real captures go back to 2009."""
_LATEST_SECONDS = 7_258_118_400
"""2200: beyond, it is in milliseconds."""

_WORKERS = 2
"""Batches parsed at once; a third waits, which bounds memory to a few blocks of the file."""

_IDS = (
    "delivery_id",
    "campaign_id",
    "broadcast_id",
    "newsletter_id",
    "transactional_message_id",
    "trigger_id",
    "trigger_event_id",
    "journey_id",
    "action_id",
    "parent_action_id",
    "content_id",
)
_TEXTS = ("recipient", "subject", "failure_message", "href", "link_id")
_FLAGS = ("proxied", "prefetched", "synthetic", "machine")

_SHAPE = json.dumps(
    {
        "event_id": "VARCHAR",
        "object_type": "VARCHAR",
        "metric": "VARCHAR",
        "timestamp": "VARCHAR",
        "event_type": "VARCHAR",
        "data": {
            "identifiers": dict.fromkeys(("id", "email", "cio_id"), "VARCHAR"),
            "customer_id": "VARCHAR",
            **dict.fromkeys((*_IDS, *_TEXTS), "VARCHAR"),
            "recipients": [{"device_platform": "VARCHAR"}],
            **dict.fromkeys(_FLAGS, "BOOLEAN"),
        },
    }
)


def _missing(name: str) -> str:
    # an object or a list arrives as its JSON text, which no id or name begins like
    return f"coalesce({name}, '') = '' or {name}[1] in ('{{', '[')"


# A document is parsed once, into a struct; a function for each field would parse it thirty times.
# Only where the struct leaves room for doubt is it parsed again, for the types of its parts: what
# has identifiers is an object with an object in it, for from_json gives null for those otherwise.
_SQL = f"""
with parsed as (
    select source_line, payload, try(from_json(payload, '{_SHAPE}')) as event from lines
),

typed as (
    select
        *,
        case
            when event.event_id is null or event.data.identifiers is null
            then try(json_type(payload, ['$', '$.data']))
            else ['OBJECT', 'OBJECT']
        end as types
    from parsed
),

timed as (
    select
        *,
        case
            when try_cast(event.timestamp as double) = try_cast(event.timestamp as bigint)
            then try_cast(event.timestamp as bigint)
        end as seconds
    from typed
)

select
    event.event_id as event_id,
    event.object_type as object_type,
    event.metric as metric,
    case
        when seconds between {_EARLIEST_SECONDS} and {_LATEST_SECONDS}
        then make_timestamp(seconds * 1000000)
    end as occurred_at,
    nullif(event.data.identifiers.cio_id, '') as cio_id,
    coalesce(nullif(event.data.identifiers.id, ''), nullif(event.data.customer_id, ''))
        as customer_id,
    nullif(event.data.identifiers.email, '') as email,
    {", ".join(f"nullif(event.data.{name}, '') as {name}" for name in _IDS)},
    {", ".join(f"event.data.{name} as {name}" for name in _TEXTS)},
    event.data.recipients[1].device_platform as device_platform,
    {", ".join(f"event.data.{name} as is_{name}" for name in _FLAGS)},
    payload,
    source_line,
    case
        when payload is null then 'not valid UTF-8'
        when types is null then 'not valid JSON'
        when types[1] is distinct from 'OBJECT' then 'not a JSON object'
        when event.event_type is not null and event.metric is null
            then 'the legacy format (event_type): switch this webhook to reporting webhooks'
        when {_missing("event.event_id")} then 'event_id is missing'
        when {_missing("event.metric")} then 'metric is missing'
        when {_missing("event.object_type")} then 'object_type is missing'
        when coalesce(event.timestamp, '') = '' then 'timestamp is missing'
        when seconds is null then 'timestamp is not a whole number of seconds'
        when seconds not between {_EARLIEST_SECONDS} and {_LATEST_SECONDS}
            then 'timestamp is not in unix seconds between 1971 and 2200'
        when types[2] is distinct from 'OBJECT' then 'data is missing or not an object'
    end as reason
from timed
"""  # noqa: S608 - built from this module's constants alone


def parse(
    parser: duckdb.DuckDBPyConnection, file: File, mapping: Mapping[str, str]
) -> Iterator[Parsed]:
    """Parse a file of events, one JSON object a line.

    Args:
        parser: A DuckDB in memory, in UTC.
        file: The file.
        mapping: Not used: the format is the vendor's.

    Yields:
        Events and quarantined lines, a batch for each block of the file.
    """
    del mapping
    pending: deque[Future[Parsed]] = deque()
    with open_file(file) as stream, ThreadPoolExecutor(_WORKERS) as pool:
        for lines in read_lines(stream):
            # DuckDB scans a batch with one core; a cursor is a connection of its own
            pending.append(pool.submit(_parse, parser.cursor(), lines, file.path))
            if len(pending) > _WORKERS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _parse(parser: duckdb.DuckDBPyConnection, lines: Lines, path: str) -> Parsed:
    if len(lines.numbers) == 0:
        records = arrow_schema(WEBHOOK_COLUMNS).empty_table()
        return Parsed(records, quarantine(FEED, path, lines.refused))
    parser.register("lines", _texts(parser, lines))
    table = parser.execute(_SQL).to_arrow_table()
    parser.unregister("lines")
    reasons = table.column("reason")
    is_good = pc.is_null(reasons)
    records = table.drop_columns(["reason"])
    if reasons.null_count < len(reasons):
        records = records.filter(is_good)
    records = records.append_column("source_file", pa.repeat(path, records.num_rows))

    # rows keep their order, so what is bad there is bad here
    is_bad = pc.invert(is_good).combine_chunks()
    whys, originals = open_envelopes(
        reasons.filter(is_bad).combine_chunks(), lines.values.filter(is_bad)
    )
    bad = quarantine_lines(FEED, path, whys, lines.numbers.filter(is_bad), originals)
    return Parsed(records, pa.concat_tables([quarantine(FEED, path, lines.refused), bad]))


def _texts(parser: duckdb.DuckDBPyConnection, lines: Lines) -> pa.Table:
    """Lines as text; null where one is not UTF-8."""
    try:
        texts = lines.values.cast(pa.string())
    except pa.ArrowInvalid:
        raw = pa.table({"value": lines.values})
        parser.register("raw", raw)
        decoded = parser.execute("select try(decode(value)) as value from raw").to_arrow_table()
        parser.unregister("raw")
        texts = decoded.column("value")
    return pa.table({"source_line": lines.numbers, "payload": texts})


WEBHOOKS = Feed(
    name=FEED,
    dataset=DATASET,
    table=WEBHOOK_EVENTS,
    tables=TABLES,
    key=("event_id",),
    suffixes=SUFFIXES,
    targets=(),
    parse=parse,
    opt_outs=OptOuts(
        WEBHOOK_EVENTS,
        "metric",
        OPT_OUT_METRICS,
        Preferences("metric", "payload", ("data", "content")),
    ),
)
