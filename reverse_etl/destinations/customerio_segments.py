"""Manual segments of Customer.io: one for each label, found by its name.

A request carries ids of one kind. Ids that nobody has are ignored without a word, so every request
is read back through the App API: where the segment grew by what was sent, all of it is there; where
it did not, its members are read. Who is not seen there is `unknown`, because the vendor may be at
it still, and is sent again by the next run: when the profile exists by then, it is taken.

A data-driven segment cannot be changed, and one that is not there is made only where the sync says
`create_segments: true`; until then its rows stay planned. One request at a time, so that counts
mean something.

https://docs.customer.io/integrations/api/track/#tag/segments
https://docs.customer.io/integrations/api/app/#tag/segments
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING, Protocol

import orjson
from httpx import codes

from reverse_etl.contract import Check, Later, Limits, Refused, Stop, Taken, Unnamed
from reverse_etl.destinations.customerio_app import AppApi
from reverse_etl.destinations.customerio_rules import identify_by
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.credentials import Secret
    from reverse_etl.http import Http

# "1 to 1000" ids; a size is not documented, and so many of the longest are half of this
LIMITS = Limits(
    records=1_000,
    size=1_000_000,
    record_size=1_000,
    requests_per_second=100.0,
    connections=1,
    prefix=b'{"ids":[',
    separator=b",",
    suffix=b"]}",
)
_SETTLE_SECONDS = 5.0
_ADD, _REMOVE = "add", "remove"


class WorkspaceSettings(Protocol):
    """What of the destination's settings segments need."""

    @property
    def app_api_key(self) -> Secret:
        """The App API's key."""

    @property
    def app_url(self) -> str:
        """Where the App API answers."""

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the Track API."""


@dataclass(frozen=True)
class SegmentOptions:
    """Options of segment members: whether a segment that is not there is made."""

    create_segments: bool = False


@dataclass(frozen=True)
class Segments:
    """A channel that keeps one manual segment for each label.

    Attributes:
        settings: The destination's settings.
        options: The sync's.
        http: Where requests of the Track API go.
        limits: What one request may carry.
        known: Segments by name, as far as they were needed: an id, or why there is none to use.
        counts: How many people were in a segment when it was last looked at.
        turn: Held during a request.
    """

    settings: WorkspaceSettings
    options: SegmentOptions
    http: Http
    limits: Limits = LIMITS
    known: dict[str, _Found] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    def route(self, change: Change) -> str:
        """Additions and removals by one kind of id of one segment go in requests of their own."""
        (kind,) = identify_by(change)
        return f"{_REMOVE if change.operation == 'remove' else _ADD} {kind} {change.label}"

    def encode(self, change: Change) -> bytes:
        """The person's id."""
        if not change.label.strip():
            message = "an audience without a label"
            raise Refused(message)
        (value,) = identify_by(change).values()
        return orjson.dumps(value)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the segment, make it if need be, add or remove, and read back."""
        operation, kind, name = route.split(" ", 2)
        ids = [orjson.loads(record) for record in records]
        with self.turn:
            found = self.known.get(name) or self._find(name)
            if not isinstance(found, _Found):
                return found
            if found.segment is None and found.is_absent and operation == _REMOVE:
                return Taken()  # without a segment nobody is in it
            if found.segment is None:
                return Taken(left=dict.fromkeys(range(len(ids)), found.reason))
            return self._change(found.segment, operation, kind, ids)

    @property
    def app(self) -> AppApi:
        """The App API of the same workspace."""
        return AppApi(self.settings.app_api_key, self.http.at(self.settings.app_url))

    def _find(self, name: str) -> _Found | Reply:
        listed = self.app.segments()
        if not isinstance(listed, list):
            return listed
        named = [segment for segment in listed if segment["name"] == name]
        manual = [str(segment["id"]) for segment in named if segment["type"] == "manual"]
        if len(manual) == 1:
            found = _Found(manual[0])
        elif manual:
            found = _Found(None, "several manual segments have the audience's name: keep one")
        elif named:
            found = _Found(None, "the segment of the audience's name is data-driven: rename it")
        elif not self.options.create_segments:
            reason = "no manual segment has the audience's name, and create_segments is not true"
            found = _Found(None, reason, is_absent=True)
        else:
            made = self.app.make_segment(name)
            if not isinstance(made, str):
                return made
            found = _Found(made)
        self.known[name] = found
        return found

    def _change(self, segment: str, operation: str, kind: str, ids: list[str]) -> Reply:
        if segment not in self.counts:
            before = self.app.count(segment)
            if not isinstance(before, int):
                # nothing was sent yet
                return before
            self.counts[segment] = before
        answer = self.http.post(
            f"api/v1/segments/{segment}/{operation}_customers",
            content=orjson.dumps({"ids": ids}),
            headers=self.settings.headers,
            params={"id_type": kind},
        )
        if not isinstance(answer, Answer):
            return answer
        body = answer.json()
        if not isinstance(body, dict):
            return Later("a reply that is not the documented one", is_maybe_accepted=True)
        if answer.status >= codes.BAD_REQUEST:
            return Unnamed("refused, and the reply does not say which id")
        return Taken(unsure=self._read_back(segment, operation, kind, ids))

    def _read_back(
        self, segment: str, operation: str, kind: str, ids: list[str]
    ) -> Mapping[int, str]:
        """Rows that the segment does not show as they should be, and why."""
        sign = 1 if operation == _ADD else -1
        expected = self.counts.pop(segment) + sign * len(set(ids))
        now = self.app.count(segment)
        if now == expected:
            self.counts[segment] = expected
            return {}
        wanted = {_folded(kind, each) for each in ids}
        there = self.app.members(segment, kind, wanted)
        if isinstance(there, set) and (there != wanted if sign > 0 else there):
            self.http.clock.sleep(_SETTLE_SECONDS, Event())
            there = self.app.members(segment, kind, wanted)
        if not isinstance(there, set):
            return dict.fromkeys(range(len(ids)), "sent, and the segment could not be read back")
        is_add = sign > 0
        reason = "sent, and not seen in the segment" if is_add else "removed, and still seen there"
        return {
            index: reason
            for index, each in enumerate(ids)
            if (_folded(kind, each) in there) != is_add
        }


@dataclass(frozen=True)
class _Found:
    segment: str | None
    reason: str = ""
    is_absent: bool = False


def _folded(kind: str, identifier: str) -> str:
    return identifier.lower() if kind == "email" else identifier


def check_segments(settings: WorkspaceSettings, http: Http) -> Check:
    """Ask the App API for segments; nothing is made."""
    match AppApi(settings.app_api_key, http.at(settings.app_url)).segments():
        case list():
            message = "both APIs answer, and take their keys"
            return Check(is_ok=True, message=message)
        case Later(reason=reason) | Stop(reason=reason):
            return Check(is_ok=False, message=f"the App API {reason}")
        case _:
            return Check(is_ok=False, message="the App API refuses app_api_key")
