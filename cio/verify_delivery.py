"""What each sync should have of one event and its person, and what its receipts say that it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.contract import KEPT
from reverse_etl.exclusions import columns_of, exclude

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.scope import Target
    from reverse_etl.settings import Sync
    from warehouse.connection import Published

Row = dict[str, Any]
EVENTS = "outbound_message_events"

_RECEIPTS = """
select sync, record_key, operation, label, outcome, reason, finished_at
from raw_reverse_etl.receipts
where person_id = $person_id or record_key = $message_event_id
qualify row_number() over (partition by sync, record_key order by finished_at desc) = 1
"""
_WANTED = """
select wanted.record_key, wanted.{identity} as identifier, any_value(excluded.reason) as reason
from {table} as wanted
left join excluded on wanted.person_id = excluded.person_id
where {condition}
group by wanted.record_key, wanted.{identity}
"""


@dataclass(frozen=True)
class Standing:
    """What one sync should have.

    Attributes:
        sync: Its name.
        is_event: It is about the event itself; else about audiences of the person.
        keys: The record keys that should be there.
        left_out: Why none should, if none should.
    """

    sync: str
    is_event: bool
    keys: tuple[str, ...] = ()
    left_out: str = ""


def standings(
    published: Published, syncs: Sequence[tuple[Sync, Target]], event: Row
) -> list[Standing]:
    """What each sync of message events should have of the event, and each list of its person.

    Args:
        published: The build.
        syncs: The syncs, and where each sends.
        event: The event: `message_event_id`, `person_id` and `metric`.
    """
    found = []
    for sync, target in syncs:
        is_event = sync.model == EVENTS and sync.mode == "append"
        is_list = sync.mode in KEPT and target.kind.is_about_people
        if not (is_event or is_list):
            continue
        if target.inactive is not None:
            found.append(Standing(sync.name, is_event, left_out="no credentials are set"))
            continue
        found.append(_standing(published, sync, event, is_event=is_event))
    return sorted(found, key=lambda one: (not one.is_event, one.sync))


def receipts_of(live: duckdb.DuckDBPyConnection, event: Row) -> dict[tuple[str, str], Row]:
    """The newest receipt by sync and record key, of the event and of whatever else of its person.

    Args:
        live: The warehouse, open.
        event: The event: `message_event_id` and `person_id`.
    """
    given = {name: event[name] for name in ("person_id", "message_event_id")}
    try:
        cursor = live.execute(_RECEIPTS, given)
    except duckdb.CatalogException:
        return {}  # nothing was ever sent
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    # what was taken away again is not there
    return {(row["sync"], row["record_key"]): row for row in rows if row["operation"] != "remove"}


def _standing(published: Published, sync: Sync, event: Row, *, is_event: bool) -> Standing:
    if is_event and (metrics := sync.filter.get("metric")) and event["metric"] not in metrics:
        why = f"forwards {', '.join(metrics)} alone"
        return Standing(sync.name, is_event, left_out=why)
    rows = _wanted(published, sync, event, is_event=is_event)
    keys = tuple(key for key, identifier, reason in rows if identifier and reason is None)
    if keys:
        return Standing(sync.name, is_event, keys)
    if not rows:
        why = "its rows leave the event out" if is_event else "the person is in none of its lists"
        return Standing(sync.name, is_event, left_out=why)
    reasons = sorted({reason or f"no {sync.identity}" for _, _, reason in rows})
    return Standing(sync.name, is_event, left_out=", ".join(reasons))


def _wanted(
    published: Published, sync: Sync, event: Row, *, is_event: bool
) -> list[tuple[str, str | None, str | None]]:
    if not columns_of(published, "outbound", sync.model):
        return []
    given: Row = {"key": event["message_event_id"] if is_event else event["person_id"]}
    conditions = [f"wanted.{'record_key' if is_event else 'person_id'} = $key"]
    for number, (column, values) in enumerate(sync.filter.items()):
        given[f"values_{number}"] = list(values)
        conditions.append(f"list_contains($values_{number}, wanted.{column}::varchar)")
    build = published.build
    exclude(published, sync, at=build.as_of or build.started_at)
    try:
        query = _WANTED.format(
            identity=sync.identity,
            table=published.table("outbound", sync.model),
            condition=" and ".join(conditions),
        )
        return published.connection.execute(query, given).fetchall()
    finally:
        published.connection.execute("drop table excluded")
