"""What Mixpanel refuses, record by record, as its ingestion reference says.

Source: https://docs.mixpanel.com/reference/import-events (events) and
https://docs.mixpanel.com/reference/profile-batch-update (profiles).
"""

from __future__ import annotations

import csv
import io
import re
from typing import Any, NamedTuple

MAX_RECORD_BYTES = 1_048_576
MAX_PROPERTIES = 255
MAX_DEPTH = 3
EARLIEST_MS = 31_536_000_000  # 1971-01-01
FUTURE_MS = 3_600_000
TRACKED_MS = 5 * 86_400_000
MILLISECONDS_FROM = 100_000_000_000
"""A `time` from here on is in milliseconds: as seconds it would be the year 5138."""

BANNED_IDS = frozenset(
    [
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null"),
        *("n/a", "na", "undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    ]
)
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}", re.ASCII)
OPERATIONS = frozenset(
    ["$set", "$set_once", "$add", "$union", "$append", "$remove", "$unset", "$delete"]
)
_ENVELOPE = frozenset(["$token", "$distinct_id", "$ip", "$ignore_time", "$time", "$ignore_alias"])


class Problem(NamedTuple):
    """Why one record is refused."""

    field: str
    message: str


def event_problem(record: Any, *, now_ms: int) -> Problem | None:  # noqa: ANN401 - any JSON
    """The first rule of `/import` that a record breaks.

    Args:
        record: One parsed record.
        now_ms: The present, in milliseconds since the epoch.

    Returns:
        The field and the vendor's kind of message, or nothing if the record is good.
    """
    if not isinstance(record, dict):
        return Problem("", "record must be an object")
    if not record.keys() <= {"event", "properties"}:
        return Problem("", "only 'event' and 'properties' are allowed at the top level")
    event, properties = record.get("event"), record.get("properties")
    if not isinstance(event, str) or not event:
        return Problem("event", "'event' is invalid: must be a non-empty string")
    if not isinstance(properties, dict):
        return Problem("properties", "'properties' is invalid: must be an object")
    return (
        _time_problem(properties.get("time"), now_ms)
        or _distinct_id_problem(properties.get("distinct_id"))
        or _insert_id_problem(properties.get("$insert_id"))
        or _shape_problem(properties)
    )


def track_problem(record: dict[str, Any], *, token: str, now_ms: int) -> Problem | None:
    """The first rule of `/track` alone that an event breaks, one that is good otherwise.

    Args:
        record: The event.
        token: The project's token, which every event carries.
        now_ms: The present, in milliseconds since the epoch.

    Returns:
        The field and a message, or nothing if the event is good.
    """
    properties = record["properties"]
    if properties.get("token") != token:
        return Problem("properties.token", "'properties.token' is invalid")
    instant = properties["time"]
    instant = instant if instant >= MILLISECONDS_FROM else instant * 1000
    if instant < now_ms - TRACKED_MS:
        return Problem("properties.time", "'properties.time' is invalid: older than 5 days")
    return None


def _time_problem(time: object, now_ms: int) -> Problem | None:
    if type(time) is not int:
        return Problem(
            "properties.time",
            "'properties.time' is invalid: must be specified as seconds since epoch",
        )
    instant = time if time >= MILLISECONDS_FROM else time * 1000
    if instant < EARLIEST_MS:
        return Problem("properties.time", "'properties.time' is invalid: must be after 1971-01-01")
    if instant > now_ms + FUTURE_MS:
        return Problem("properties.time", "'properties.time' is invalid: more than 1 hour ahead")
    return None


def _distinct_id_problem(distinct_id: object) -> Problem | None:
    if not isinstance(distinct_id, str):
        return Problem(
            "properties.distinct_id", "'properties.distinct_id' is invalid: not a string"
        )
    if distinct_id.lower() in BANNED_IDS:
        return Problem("properties.distinct_id", "'properties.distinct_id' is a placeholder")
    return None


def _insert_id_problem(insert_id: object) -> Problem | None:
    if not isinstance(insert_id, str) or not _INSERT_ID.fullmatch(insert_id):
        return Problem(
            "properties.$insert_id",
            "'properties.$insert_id' is invalid: 1 to 36 alphanumeric characters or '-'",
        )
    if insert_id.lower() in BANNED_IDS:
        return Problem("properties.$insert_id", "'properties.$insert_id' is a placeholder")
    return None


def _shape_problem(properties: dict[str, Any]) -> Problem | None:
    if len(properties) >= MAX_PROPERTIES:
        return Problem("properties", "too many properties: fewer than 255 are allowed")
    for name, value in properties.items():
        if isinstance(value, dict | list) and not _is_small(value, depth=1):
            return Problem(f"properties.{name}", "nested too deeply, or too many elements")
    return None


def _is_small(value: object, *, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    if len(value) >= MAX_PROPERTIES or depth > MAX_DEPTH:
        return False
    inner = value.values() if isinstance(value, dict) else value
    return all(_is_small(item, depth=depth + 1) for item in inner)


def profile_problem(record: Any, *, token: str) -> Problem | None:  # noqa: ANN401 - any JSON
    """The first rule of `/engage` that a record breaks.

    Args:
        record: One parsed record.
        token: The project's token, which every record carries.

    Returns:
        The field and a message, or nothing if the record is good.
    """
    if not isinstance(record, dict):
        return Problem("", "record must be an object")
    if record.get("$token") != token:
        return Problem("$token", "'$token' is invalid")
    distinct_id = record.get("$distinct_id")
    if not isinstance(distinct_id, str) or not distinct_id or distinct_id.lower() in BANNED_IDS:
        return Problem("$distinct_id", "'$distinct_id' is missing or invalid")
    operations = record.keys() - _ENVELOPE
    if len(operations) != 1 or not operations <= OPERATIONS:
        return Problem("", "exactly one operation a record is allowed")
    (operation,) = operations
    return _operand_problem(operation, record[operation])


def _operand_problem(operation: str, operand: object) -> Problem | None:
    if operation == "$delete":
        return None
    if operation == "$unset":
        is_good = isinstance(operand, list) and all(isinstance(name, str) for name in operand)
        return None if is_good else Problem(operation, "'$unset' is invalid: a list of names")
    if not isinstance(operand, dict) or not operand:
        return Problem(operation, f"'{operation}' is invalid: must be an object")
    message = None
    if operation == "$union" and not all(isinstance(item, list) for item in operand.values()):
        message = "'$union' is invalid: values must be lists"
    elif operation == "$remove" and any(isinstance(v, dict | list) for v in operand.values()):
        message = "'$remove' is invalid: one value a property"
    return Problem(operation, message) if message else None


def read_table(content: bytes) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """The rows of a lookup table, and what is wrong with those that are.

    Args:
        content: CSV with a header, whose first column is the key.

    Returns:
        The rows, and failures by index.
    """
    try:
        header, *lines = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error, ValueError):
        return [], [{"index": 0, "message": "not CSV with a header"}]
    keys = [line[0] if line else "" for line in lines]
    failed: list[dict[str, Any]] = [
        {
            "index": index,
            "message": "wrong number of columns, or a key that is empty or there twice",
        }
        for index, line in enumerate(lines)
        if len(line) != len(header) or not keys[index] or keys.index(keys[index]) != index
    ]
    if not lines or len(set(header)) < len(header):
        failed.append({"index": 0, "message": "no rows, or a column twice"})
    return [dict(zip(header, line, strict=False)) for line in lines], failed
