"""What every destination reads of a change: its payload, its label, and its instant as text."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Refused

if TYPE_CHECKING:
    from reverse_etl.contract import Change

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every instant


def read_payload(change: Change) -> dict[str, Any]:
    """The properties of an event, as its payload has them.

    Raises:
        Refused: They are not a JSON object.
    """
    try:
        payload = orjson.loads(change.payload or "{}")
    except orjson.JSONDecodeError:
        payload = None
    if not isinstance(payload, dict):
        message = "the payload is not a JSON object"
        raise Refused(message)
    return payload


def with_own(change: Change, payload: dict[str, Any], own: dict[str, Any]) -> bytes:
    """The properties of an event with fields of its own, as JSON; the own ones win.

    A payload that has none of their names goes out as the text that it is, unread: writing it anew
    took four times as long as putting one text behind the other.

    Args:
        change: The row.
        payload: What `read_payload` read of it.
        own: The event's own fields.
    """
    if not own.keys().isdisjoint(payload):
        return orjson.dumps(payload | own)
    if not payload:
        return orjson.dumps(own)
    text = (change.payload or "").rstrip().encode()
    return text[:-1] + b"," + orjson.dumps(own)[1:]


def as_it_is(change: Change) -> orjson.Fragment:
    """A payload that was read and found in order, to go out as the text that it is."""
    return orjson.Fragment(change.payload or "{}")


def is_nested(change: Change) -> bool:
    """Whether a payload may have an object or a list in it; a look at the text, not a reading."""
    payload = change.payload or ""
    return "[" in payload or payload.find("{", 1) > 0


def read_values(change: Change, *, one: str = "property") -> dict[str, Any]:
    """The properties that have a value: a null would overwrite what is there with nothing.

    Args:
        change: The row.
        one: What the vendor calls a property.

    Raises:
        Refused: None has a value, or they are not a JSON object.
    """
    values = {key: value for key, value in read_payload(change).items() if value is not None}
    if not values:
        message = f"no {one} has a value"
        raise Refused(message)
    return values


def read_rows(change: Change) -> list[dict[str, Any]]:
    """The `rows` of a payload that is a table.

    Raises:
        Refused: There are none, or one is not a JSON object.
    """
    rows = read_payload(change).get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
        message = "the payload has no rows"
        raise Refused(message)
    return rows


def describe(change: Change) -> dict[str, Any]:
    """What a row is, apart from its payload, for who keeps rows as they are.

    Raises:
        Refused: Its time cannot be written.
    """
    return {
        "operation": change.operation,
        "record_key": change.record_key,
        "identifier": change.identifier,
        "label": change.label,
        "occurred_at": None if change.occurred_ms is None else iso_instant(change.occurred_ms),
    }


def check_label(change: Change) -> None:
    """See that a member's row says of which audience.

    Raises:
        Refused: It does not.
    """
    if not change.label.strip():
        message = "an audience without a label"
        raise Refused(message)


def read_instant(change: Change) -> int:
    """When an event occurred, in milliseconds since the epoch.

    Raises:
        Refused: It has no time.
    """
    if change.occurred_ms is None:
        message = "an event without a time"
        raise Refused(message)
    return change.occurred_ms


def iso_instant(milliseconds: int) -> str:
    """Milliseconds since the epoch as ISO 8601: `2026-01-15T10:20:30.000Z`.

    Raises:
        Refused: It lies beyond the years that ISO 8601 writes with four digits.
    """
    # called for every row that is sent: most rows share their minute with many others
    minute, rest = divmod(milliseconds, 60_000)
    return f"{_iso_minute(minute)}:{rest // 1_000:02d}.{rest % 1_000:03d}Z"


@lru_cache(maxsize=32_768)
def _iso_minute(minute: int) -> str:
    """A minute since the epoch, `2026-01-15T10:20`; as many are kept as three weeks have."""
    try:
        instant = _EPOCH + timedelta(minutes=minute)
    except OverflowError:
        message = "time is beyond the year 9999, or before the year 1"
        raise Refused(message) from None
    return instant.isoformat(timespec="minutes")
