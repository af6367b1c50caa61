"""Google: audiences as Customer Match lists of an account, by the Data Manager API.

A request is processed for minutes after it was taken. Give such a sync patience (`attempts`,
`give_up_after_seconds`); what is still processed at the end is unknown, and sent again by the next
run, which changes nothing there.

A list that is replaced is sent whole, and then whoever was last added before that is removed. When
it began is told by Google's clock: ours may be ahead, and would remove whom it just sent.

https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/ingest
https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/removeAll
https://developers.google.com/data-manager/api/devguides/limits
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    MatchKeys,
    Object,
    Stop,
    Taken,
)
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.google_api import DataManager, GoogleSettings
from reverse_etl.destinations.google_lists import TERMS, ListOptions, lists_path, open_directory
from reverse_etl.destinations.google_uploads import CLOSES, Uploads
from reverse_etl.destinations.hashed import read_match_keys
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.destinations.google_auth import Tokens
    from reverse_etl.http import Http

KEYS = ("emailAddress", "phoneNumber")
# 10,000 members; a size is not documented. 300 requests a minute are 50,000 members a second.
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=4, separator=b",")
_MARGIN = timedelta(minutes=1)
"""Google's servers may disagree by so much on the time; it is no more than a guess."""


@dataclass(frozen=True)
class Members:
    """A channel that keeps one user list for each label.

    Attributes:
        api: Where requests go.
        uploads: The requests of the run.
        directory: The account's user lists.
        limits: What one request may carry.
        replaced: Labels of the lists that are replaced.
        began: When each began to be, by Google's clock.
    """

    api: DataManager
    uploads: Uploads
    directory: Directory
    limits: Limits = LIMITS
    replaced: frozenset[str] = frozenset()
    began: dict[str, str] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: GoogleSettings, options: ListOptions, http: Http) -> Members:
        """Open the channel; nothing is asked yet."""
        api = DataManager.open(settings, http)
        return cls(api, Uploads(api, options.consent), open_directory(api, options))

    def replacing(self, labels: Collection[str]) -> Members:
        """The channel that replaces the lists of some labels."""
        return replace(self, replaced=frozenset(labels))

    def closing(self, label: str) -> str:
        """The route of the request that removes whoever was not sent."""
        return f"{CLOSES} {label}"

    @property
    def tokens(self) -> Tokens:
        """The run's access token."""
        return self.api.tokens

    def route(self, change: Change) -> str:
        """Additions and removals of one list go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A member with one identifier for each key."""
        keys = read_match_keys(change, KEYS)
        identifiers = [{name: keys[name]} for name in KEYS if name in keys]
        return orjson.dumps({"userData": {"userIdentifiers": identifiers}})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Send what was not sent yet, then ask what became of it."""
        found = self.directory.locate(route)
        if not isinstance(found, Located):
            return found
        label = route.partition(" ")[2]
        if found.operation == TERMS.adds and label in self.replaced and label not in self.began:
            hindered = self._begin(label)
            if hindered is not None:
                return hindered
        members, before = self.limits.join(records), self.began.get(label)
        reply = self.uploads.run(found, members, len(records), before=before)
        return _closed(reply) if found.operation == CLOSES else reply

    def _begin(self, label: str) -> Reply | None:
        """Ask for the time before anybody of a list is sent; says what hindered it."""
        answer = self.api.request("GET", lists_path(self.api), params={"pageSize": "1"})
        if not isinstance(answer, Answer):
            return answer
        http = self.api.http
        ahead = timedelta(seconds=http.ahead_seconds or 0.0)
        began = http.clock.now() - ahead - _MARGIN
        # two requests may begin at once: either instant is before both
        self.began.setdefault(label, began.isoformat(timespec="milliseconds") + "Z")
        return None


def _closed(reply: Reply) -> Reply:
    """What the end of a replacement came to: it is about no row, so no row is at fault."""
    if isinstance(reply, Taken) and not (reply.refused or reply.unsure):
        return reply
    if isinstance(reply, Later | Denied | Stop):
        return reply
    return Stop("could not remove whoever was not sent from a list")


def check(settings: GoogleSettings, http: Http) -> Check:
    """Ask whether lists could be filled; none is."""
    return Uploads(DataManager.open(settings, http), "granted").check()


GOOGLE = Destination(
    name="google",
    documentation="https://developers.google.com/data-manager/api",
    settings=GoogleSettings,
    objects={
        "audience_members": Object(
            modes=frozenset(["mirror", "replace"]),
            options=ListOptions,
            open=Members.open,
            replacing=Members.replacing,
            match_keys=MatchKeys("google_match_keys", KEYS),
            renew_after_days=lambda options: options.renew_after_days,
        ),
    },
    check=check,
)
