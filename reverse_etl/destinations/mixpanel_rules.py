"""What Mixpanel would refuse, found before it is sent.

https://docs.mixpanel.com/reference/import-events
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Refused
from reverse_etl.destinations.payloads import (
    check_label,
    is_nested,
    read_payload,
    read_values,
)

if TYPE_CHECKING:
    from reverse_etl.contract import Change

OWN_PROPERTIES = 4
"""`time`, `distinct_id`, `$insert_id` and `ip`, which the engine adds to a payload."""

MAX_PROPERTIES = 254
MAX_ELEMENTS = 254
MAX_DEPTH = 3
EARLIEST_MS = 31_536_000_000  # 1971-01-01
FUTURE_MS = 3_600_000
BANNED_IDS = frozenset(
    [
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null"),
        *("n/a", "na", "undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    ]
)
_NESTED = frozenset([dict, list])
_INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}", re.ASCII)


def check_event(change: Change, *, latest_ms: int) -> None:
    """See that an event's own fields keep to the rules of `/import`.

    Args:
        change: The event.
        latest_ms: The latest time Mixpanel takes, in milliseconds since the epoch.

    Raises:
        Refused: One breaks a rule.
    """
    reason = None
    if not change.label:
        reason = "an event without a name"
    elif change.occurred_ms is None:
        reason = "an event without a time"
    elif change.occurred_ms < EARLIEST_MS:
        reason = "time is before 1971-01-01"
    elif change.occurred_ms > latest_ms:
        reason = "time is more than an hour in the future"
    elif change.identifier.lower() in BANNED_IDS:
        reason = "distinct_id is a placeholder that Mixpanel refuses"
    elif not _INSERT_ID.fullmatch(change.record_key) or change.record_key.lower() in BANNED_IDS:
        reason = "$insert_id is not 1 to 36 letters, digits or '-', or is a placeholder"
    if reason is not None:
        raise Refused(reason)


def check_member(change: Change) -> None:
    """See that a membership has a person and an audience.

    Raises:
        Refused: It has not.
    """
    _check_profile(change)
    check_label(change)


def _check_profile(change: Change) -> None:
    if not change.identifier or change.identifier.lower() in BANNED_IDS:
        message = "$distinct_id is empty or a placeholder that Mixpanel refuses"
        raise Refused(message)


def read_profile(change: Change) -> dict[str, Any]:
    """The properties that a profile is to have; those that are null are left as they are there.

    Raises:
        Refused: There is no person, or nothing to set, or it breaks the rules of properties.
    """
    _check_profile(change)
    payload = read_values(change)
    _check_properties(change, payload)
    return payload


def read_properties(change: Change) -> dict[str, Any]:
    """The properties of an event, as its payload has them.

    Raises:
        Refused: They are not a JSON object, are too many, or nested too deeply.
    """
    payload = read_payload(change)
    _check_properties(change, payload)
    return payload


def _check_properties(change: Change, properties: dict[str, Any]) -> None:
    if len(properties) + OWN_PROPERTIES > MAX_PROPERTIES:
        message = "255 properties or more"
        raise Refused(message)
    for value in properties.values() if is_nested(change) else ():
        if type(value) in _NESTED and not _is_small(value, depth=1):
            message = "a property nested deeper than 3, or with 255 elements or more"
            raise Refused(message)


def _is_small(value: Any, *, depth: int) -> bool:  # noqa: ANN401 - any JSON
    if type(value) not in _NESTED:
        return True
    if len(value) > MAX_ELEMENTS or depth > MAX_DEPTH:
        return False
    inner = value.values() if isinstance(value, dict) else value
    return all(_is_small(item, depth=depth + 1) for item in inner)
