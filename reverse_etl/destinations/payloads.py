"""What every destination reads of a change: its payload, and its instant as text."""

from __future__ import annotations

from datetime import datetime, timedelta
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


def iso_instant(milliseconds: int) -> str:
    """Milliseconds since the epoch as ISO 8601: `2026-01-15T10:20:30.000Z`.

    Raises:
        Refused: It lies beyond the years that ISO 8601 writes with four digits.
    """
    try:
        instant = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        message = "time is beyond the year 9999, or before the year 1"
        raise Refused(message) from None
    return instant.isoformat(timespec="milliseconds") + "Z"
