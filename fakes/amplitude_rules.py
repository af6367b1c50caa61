"""What Amplitude refuses, event by event, as its reference says.

Source: https://amplitude.com/docs/apis/analytics/http-v2
"""

from __future__ import annotations

from typing import Any, NamedTuple

MAX_TEXT = 1_024
MIN_ID_LENGTH = 5
BANNED_IDS = frozenset(
    [
        *("", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "{}"),
        *("00000000-0000-0000-0000-000000000000", "lmy47d", "0", "-1"),
    ]
)
INVALID = "events_with_invalid_fields"
MISSING = "events_with_missing_fields"
SHORT = "events_with_invalid_id_lengths"


class Problem(NamedTuple):
    """Why one event is refused: the list of the reply it stands in, and the field."""

    kind: str
    field: str


def event_problem(event: Any, *, min_id_length: int) -> Problem | None:  # noqa: ANN401 - any JSON
    """The first rule that an event breaks.

    Args:
        event: One parsed event.
        min_id_length: The shortest id that the request allows.

    Returns:
        What is wrong, or nothing if the event is good.
    """
    if not isinstance(event, dict):
        return Problem(INVALID, "event")
    if "event_type" not in event:
        return Problem(MISSING, "event_type")
    return _id_problem(event, min_id_length) or _field_problem(event)


def _id_problem(event: dict[str, Any], min_id_length: int) -> Problem | None:
    names = [name for name in ("user_id", "device_id") if event.get(name) is not None]
    if not names:
        return Problem(MISSING, "user_id")
    for name in names:
        value = event[name]
        if not isinstance(value, str) or value.lower() in BANNED_IDS or len(value) > MAX_TEXT:
            return Problem(INVALID, name)
        if len(value) < min_id_length:
            return Problem(SHORT, name)
    return None


def _field_problem(event: dict[str, Any]) -> Problem | None:
    name = event["event_type"]
    if not isinstance(name, str) or not 0 < len(name) <= MAX_TEXT or name.startswith("[Amplitude]"):
        return Problem(INVALID, "event_type")
    if "time" in event and (type(event["time"]) is not int or event["time"] < 0):
        return Problem(INVALID, "time")
    if not isinstance(event.get("insert_id", ""), str):
        return Problem(INVALID, "insert_id")
    properties = event.get("event_properties", {})
    if not isinstance(properties, dict) or any(
        isinstance(value, str) and len(value) > MAX_TEXT for value in properties.values()
    ):
        return Problem(INVALID, "event_properties")
    return None
