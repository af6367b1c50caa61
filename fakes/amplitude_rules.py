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
OPERATIONS = frozenset(
    [
        *("$set", "$setOnce", "$add", "$append", "$prepend", "$unset"),
        *("$preInsert", "$postInsert", "$remove"),
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


def identification_problem(given: Any, *, min_id_length: int) -> Problem | None:  # noqa: ANN401 - any JSON
    """The first rule that one object of an `identify` call breaks.

    Source: https://amplitude.com/docs/apis/analytics/identify
    """
    if not isinstance(given, dict):
        return Problem(INVALID, "identification")
    properties = given.get("user_properties", {})
    if not isinstance(properties, dict) or not _are_properties(properties):
        return Problem(INVALID, "user_properties")
    return _id_problem(given, min_id_length)


def _are_properties(properties: dict[str, Any]) -> bool:
    """Whether they are plain values, or values by operation: the two cannot be mixed."""
    operations = {name for name in properties if name.startswith("$")}
    if not operations:
        return _are_short(properties)
    if operations != set(properties) or not operations <= OPERATIONS:
        return False
    return all(isinstance(each, dict) and _are_short(each) for each in properties.values())


def _are_short(values: dict[str, Any]) -> bool:
    return all(not isinstance(text, str) or len(text) <= MAX_TEXT for text in values.values())


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
