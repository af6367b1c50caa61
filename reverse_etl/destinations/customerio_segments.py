"""Manual segments of Customer.io: one for each label, found by its name.

A request carries ids of one kind. Ids that nobody has are ignored without a word, so every request
is read back through the App API: where the segment grew by what was sent, all of it is there; where
it did not, its members are read. Who is not seen there is `unknown`, because the vendor may be at
it still, and is sent again by the next run: when the profile exists by then, it is taken.

One request at a time, so that counts mean something.

https://docs.customer.io/integrations/api/track/#tag/segments
https://docs.customer.io/integrations/api/app/#tag/segments
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Lock
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Limits, Taken, Unnamed
from reverse_etl.destinations.customerio_app import AppApi
from reverse_etl.destinations.customerio_directory import Found, SegmentDirectory
from reverse_etl.destinations.customerio_rules import identify_by
from reverse_etl.destinations.payloads import check_label
from reverse_etl.destinations.replies import UNREADABLE, read_object
from reverse_etl.http import Answer
from reverse_etl.profile_keys import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.destinations.customerio_settings import CustomerioSettings
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


@dataclass(frozen=True)
class SegmentOptions:
    """Options of segment members: whether a segment that is not there is made."""

    create_segments: bool = False


@dataclass(frozen=True)
class Segments:
    """A channel that keeps one manual segment for each label.

    Attributes:
        settings: The destination's settings.
        http: Where requests of the Track API go.
        directory: The workspace's segments.
        limits: What one request may carry.
        counts: How many people were in a segment when it was last looked at.
        turn: Held during a request.
    """

    settings: CustomerioSettings
    http: Http
    directory: SegmentDirectory
    limits: Limits = LIMITS
    counts: dict[str, int] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: CustomerioSettings, options: SegmentOptions, http: Http) -> Segments:
        """Open the channel; nothing is asked yet."""
        directory = SegmentDirectory(AppApi.open(settings, http), options.create_segments)
        return cls(settings, http, directory)

    def route(self, change: Change) -> str:
        """Additions and removals by one kind of id of one segment go in requests of their own."""
        (kind,) = identify_by(change)
        return f"{_REMOVE if change.operation == 'remove' else _ADD} {kind} {change.label}"

    def encode(self, change: Change) -> bytes:
        """The person's id."""
        check_label(change)
        (value,) = identify_by(change).values()
        return orjson.dumps(value)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the segment, make it if need be, add or remove, and read back."""
        operation, kind, name = route.split(" ", 2)
        ids = [orjson.loads(record) for record in records]
        with self.turn:
            found = self.directory.locate(name)
            if not isinstance(found, Found):
                return found
            if found.segment is None and found.is_absent and operation == _REMOVE:
                return Taken()  # without a segment nobody is in it
            if found.segment is None:
                return Taken(left=dict.fromkeys(range(len(ids)), found.reason))
            return self._change(found.segment, operation, kind, ids)

    @property
    def app(self) -> AppApi:
        """The App API of the same workspace."""
        return self.directory.app

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
        if read_object(answer) is None:
            return UNREADABLE
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
        wanted = {folded(kind, each) for each in ids}
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
            if (folded(kind, each) in there) != is_add
        }
