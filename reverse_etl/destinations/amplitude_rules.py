"""What Amplitude would refuse, found before it is sent.

https://amplitude.com/docs/apis/analytics/http-v2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Refused
from reverse_etl.destinations.payloads import as_it_is, read_payload

if TYPE_CHECKING:
    import orjson

    from reverse_etl.contract import Change

MAX_TEXT = 1_024
"""Characters of any string: an id, the name of an event, the value of a property."""

BANNED_IDS = frozenset(
    [
        *("", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "{}"),
        *("00000000-0000-0000-0000-000000000000", "lmy47d", "0", "-1"),
    ]
)


def check_event(change: Change) -> None:
    """See that an event's own fields keep to the rules.

    Raises:
        Refused: One breaks a rule.
    """
    check_person(change)
    reason = None
    if not change.label or len(change.label) > MAX_TEXT:
        reason = f"event_type is empty, or longer than {MAX_TEXT} characters"
    elif change.label.startswith("[Amplitude]"):
        reason = "event_type is a name that Amplitude keeps for itself"
    elif change.occurred_ms is None or change.occurred_ms < 0:
        reason = "an event without a time, or before 1970"
    elif not change.record_key or len(change.record_key) > MAX_TEXT:
        reason = f"insert_id is empty, or longer than {MAX_TEXT} characters"
    if reason is not None:
        raise Refused(reason)


def check_person(change: Change) -> None:
    """See that there is an id that Amplitude takes.

    Raises:
        Refused: There is none.
    """
    if change.identifier.lower() in BANNED_IDS or len(change.identifier) > MAX_TEXT:
        message = f"user_id is a placeholder, empty, or longer than {MAX_TEXT} characters"
        raise Refused(message)


def read_properties(change: Change) -> dict[str, Any] | orjson.Fragment:
    """The properties of an event; texts are cut where Amplitude's limit is.

    Customer.io's own integration cuts them there too.

    Raises:
        Refused: They are not a JSON object.
    """
    payload = read_payload(change)
    # in a short payload there is nothing to cut
    return as_it_is(change) if len(change.payload or "") <= MAX_TEXT else cut(payload)


def cut(properties: dict[str, Any]) -> dict[str, Any]:
    """Properties with texts as long as Amplitude takes."""
    return {
        name: value[:MAX_TEXT] if isinstance(value, str) else value
        for name, value in properties.items()
    }
