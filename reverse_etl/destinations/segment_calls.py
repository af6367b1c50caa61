"""Segment's calls: `identify` and `track`, held to what Segment takes in silence and drops.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
https://segment.com/docs/engage/using-engage-data/
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Refused
from reverse_etl.destinations.payloads import (
    as_it_is,
    iso_instant,
    read_instant,
    read_payload,
    read_values,
)

if TYPE_CHECKING:
    from reverse_etl.clock import Clock
    from reverse_etl.contract import Change

# "32KB" and "500KB": the smaller reading of the two is safe under both
MAX_CALL_BYTES = 32_000
MAX_BATCH_BYTES = 500_000
MAX_CALLS = 2_500
MAX_MESSAGE_ID = 100
_NOT_WORD = re.compile(r"\W+")
_LIBRARY = {"name": "customerio-warehouse", "version": version("customerio-warehouse")}
_CONTEXT = orjson.Fragment(orjson.dumps({"library": _LIBRARY}))


@dataclass(frozen=True)
class Calls:
    """Writes rows as calls to one source.

    Attributes:
        prefix: What messageIds begin with: Segment compares them over all sources and workspaces.
        clock: What tells the time.
    """

    prefix: str
    clock: Clock

    @classmethod
    def to(cls, write_key: str, clock: Clock) -> Calls:
        """Calls to the source of a write key."""
        return cls("cio-" + hashlib.sha256(write_key.encode()).hexdigest()[:12], clock)

    def write_event(self, change: Change) -> bytes:
        """A `track`, always with the same messageId."""
        instant = iso_instant(read_instant(change))
        call = self._call(change, "track", instant, change.record_key)
        call["event"] = change.label
        read_payload(change)
        call["properties"] = as_it_is(change)
        return encode_call(call)

    def write_membership(self, change: Change, *, wanted: str) -> bytes:
        """A trait, an event, or both: who enters a second time must not be taken for the first.

        So the messageId has the moment in it: kept over the attempts of a run, another in the next.

        Args:
            change: The row.
            wanted: `both`, `identify` for the trait, or `track` for the event.
        """
        key, is_in = audience_key(change.label), change.operation != "remove"
        now = milliseconds(self.clock.now())
        instant = iso_instant(now)
        base = f"{change.record_key}-{change.operation}-{now}"
        calls = []
        if wanted != "track":
            identify = self._call(change, "identify", instant, f"{base}-i")
            identify["traits"] = {key: is_in}
            calls.append(encode_call(identify))
        if wanted != "identify":
            track = self._call(change, "track", instant, f"{base}-t")
            track["event"] = "Audience Entered" if is_in else "Audience Exited"
            track["properties"] = {
                "audience_key": key,
                key: is_in,
                "audience_name": change.label,
            }
            calls.append(encode_call(track))
        return b",".join(calls)

    def write_traits(self, change: Change) -> bytes:
        """An `identify`, its moment in its id: a value that returns within a day is not dropped."""
        traits = read_values(change, one="trait")
        now = milliseconds(self.clock.now())
        call = self._call(change, "identify", iso_instant(now), f"{change.record_key}-p-{now}")
        call["traits"] = traits
        return encode_call(call)

    def _call(self, change: Change, kind: str, instant: str, message_id: str) -> dict[str, Any]:
        """What every call has."""
        return {
            "type": kind,
            "userId": change.identifier,
            "timestamp": instant,
            "messageId": f"{self.prefix}-{message_id}",
            "context": _CONTEXT,
        }


def encode_call(call: dict[str, Any]) -> bytes:
    """One call as bytes, if it is one that Segment would keep.

    Args:
        call: An `identify` or `track` call, as the batch is to carry it.

    Returns:
        Its JSON.

    Raises:
        Refused: It breaks a rule for which Segment answers 200 all the same.
    """
    reason = None
    if not call["userId"]:
        reason = "a call without userId"
    elif call["type"] == "track" and not call["event"]:
        reason = "an event without a name"
    elif not 0 < len(call["messageId"]) <= MAX_MESSAGE_ID:
        reason = f"messageId has more than {MAX_MESSAGE_ID} characters"
    if reason is not None:
        raise Refused(reason)
    record = orjson.dumps(call)
    if len(record) > MAX_CALL_BYTES:
        message = f"a call of {len(record)} bytes; Segment takes 32 KB"
        raise Refused(message)
    return record


@cache
def audience_key(label: str) -> str:
    """A label as the name of a trait: `CIO | Buyers | 0-3d` is `cio_buyers_0_3d`.

    Raises:
        Refused: The label has neither letters nor digits.
    """
    key = _NOT_WORD.sub("_", label.lower()).strip("_")
    if not key:
        message = "an audience without a label"
        raise Refused(message)
    return key
