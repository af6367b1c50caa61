"""What Amplitude answers to events and to identify calls.

A 400 takes nothing, and lists the records at fault by their positions: all of them on `/batch`,
the first of each field elsewhere. A 429 takes nothing either, and names people.

https://amplitude.com/docs/apis/analytics/http-v2
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Denied, Later, Taken, Unnamed
from reverse_etl.destinations.replies import UNREADABLE, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer


def read_answer(answer: Answer, count: int) -> Reply:
    """What a reply other than 429 says of `count` events."""
    body = read_object(answer)
    if body is None:
        return UNREADABLE
    if answer.status == codes.BAD_REQUEST:
        return read_refusal(body, answer.status, count)
    if body.get("code") == codes.OK and body.get("events_ingested") == count:
        return Taken()
    return Later("a reply whose counts do not agree", is_maybe_accepted=True)


def read_refusal(body: dict[str, Any], status: int, count: int) -> Reply:
    """What a 400 says of `count` records. Its words may hold the key: they are not kept."""
    is_key = str(body.get("error", "")).startswith("Invalid API key")
    if is_key or body.get("missing_field") == "api_key":
        return Denied(status)
    refused: dict[int, str] = {}
    for index, reason in _listed(body):
        refused.setdefault(index, reason)
    if not refused or not all(0 <= index < count for index in refused):
        return Unnamed("refused, and the reply does not say which event")
    return Taken(refused, again=frozenset(range(count)) - refused.keys())


def _listed(body: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The events a 400 lists, by position, and what is wrong with them."""
    words = {
        "events_with_invalid_fields": "is not valid",
        "events_with_missing_fields": "is missing",
        # known from Amplitude's own clients, not from its documentation
        "events_with_invalid_id_lengths": "is too short",
    }
    for key, word in words.items():
        fields = body.get(key)
        for name, indexes in fields.items() if isinstance(fields, dict) else ():
            yield from ((index, f"{name} {word}") for index in _indexes(indexes))
    yield from ((index, "silenced by Amplitude") for index in _indexes(body.get("silenced_events")))


def _indexes(given: object) -> list[int]:
    return [i for i in given if type(i) is int] if isinstance(given, list) else []


def read_throttled(
    body: object, records: Sequence[bytes], *, asked: float | None, pause: float
) -> Reply:
    """What a 429 says: nothing was taken, and it may tell whose records are too many.

    Args:
        body: The parsed body.
        records: The records, each a JSON object with a `user_id`.
        asked: Seconds that the reply asks to wait, if it says.
        pause: Seconds that who is throttled waits otherwise.
    """
    everything = Later("answered 429", is_maybe_accepted=False, wait_seconds=asked)
    if not isinstance(body, dict):
        return everything
    over = body.get("exceeded_daily_quota_users") or {}
    left = {
        position: "this person's events are over Amplitude's daily quota"
        for position, record in enumerate(records)
        if over and orjson.loads(record)["user_id"] in over
    }
    positions = frozenset(range(len(records)))
    later = (positions & frozenset(_indexes(body.get("throttled_events")))) - left.keys()
    again = positions - later - left.keys()
    if not left and not later:
        return everything
    wait = pause if asked is None else asked
    if not left and not again:
        return Later("too many events of these people", is_maybe_accepted=False, wait_seconds=wait)
    return Taken(again=again, later=later, left=left, wait_seconds=wait)
