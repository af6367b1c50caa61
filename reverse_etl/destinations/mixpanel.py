"""Mixpanel: message events through `/import`, membership and properties of people's profiles.

There is no API that uploads the members of a cohort, so membership is a list property of the
profile (`cio_audiences` by default), and a cohort in Mixpanel is one condition on it:
"cio_audiences contains CIO | …". `$union` makes the profile of a person Mixpanel did not know, and
so does `$set`, which writes properties.

https://docs.mixpanel.com/reference/import-events
https://docs.mixpanel.com/reference/profile-batch-update
https://docs.mixpanel.com/reference/profile-set
https://docs.mixpanel.com/reference/event-deduplication
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    Object,
    Stop,
    Taken,
    TooLarge,
    Unnamed,
)
from reverse_etl.destinations.mixpanel_lookup import LookupOptions, LookupTable
from reverse_etl.destinations.mixpanel_replies import read_reply
from reverse_etl.destinations.mixpanel_rules import (
    FUTURE_MS,
    check_event,
    check_member,
    read_profile,
    read_properties,
)
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# 2 GB a minute, about 30,000 events a second. 10 MB a request by the text, but the reference's
# own 413 says "exceeds max limit of 2097152 bytes".
EVENT_LIMITS = Limits(
    records=2_000,
    size=2_097_152,
    record_size=1_048_575,
    records_per_second=30_000,
    connections=4,
)
# 2,000 records of at most 1 MB; the whole request's limit is not given, so the one of events holds
PROFILE_LIMITS = Limits(
    records=2_000,
    size=2_097_152,
    record_size=1_048_575,
    connections=2,
    prefix=b"[",
    separator=b",",
    suffix=b"]",
)


@dataclass(frozen=True)
class EventOptions:
    """Message events have no options: what is sent is the outbound model's to decide."""


@dataclass(frozen=True)
class MembershipOptions:
    """Options of audience members: the profile property that lists a person's audiences."""

    property: str = "cio_audiences"


@dataclass(frozen=True)
class PropertyOptions:
    """Properties of people have no options: names and values are the outbound model's."""


@dataclass(frozen=True)
class _Events:
    settings: MixpanelSettings
    http: Http
    latest_ms: int
    limits: Limits = EVENT_LIMITS

    @classmethod
    def open(cls, settings: MixpanelSettings, _options: EventOptions, http: Http) -> _Events:
        # what is not too far ahead now will not be later either, so the clock is asked only once
        return cls(settings, http, milliseconds(http.clock.now()) + FUTURE_MS)

    def route(self, _change: Change) -> str:
        return "import"

    def encode(self, change: Change) -> bytes:
        check_event(change, latest_ms=self.latest_ms)
        properties = read_properties(change)
        # the event's own fields win over a payload that uses their names
        properties |= {
            "time": change.occurred_ms,
            "distinct_id": change.identifier,
            "$insert_id": change.record_key,
            "ip": "0",
        }
        return orjson.dumps({"event": change.label, "properties": properties})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        content = gzip.compress(self.limits.join(records), 1, mtime=0)
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Authorization": self.settings.authorization,
        }
        params = {"strict": "1"}
        if self.settings.project_id:
            params["project_id"] = self.settings.project_id
        answer = self.http.post(route, content=content, headers=headers, params=params)
        return read_reply(answer, len(records))


@dataclass(frozen=True)
class _Members:
    settings: MixpanelSettings
    options: MembershipOptions
    http: Http
    limits: Limits = PROFILE_LIMITS

    def route(self, _change: Change) -> str:
        return "engage"

    def encode(self, change: Change) -> bytes:
        check_member(change)
        name = self.options.property
        operation: dict[str, Any] = {"$union": {name: [change.label]}}
        if change.operation == "remove":
            operation = {"$remove": {name: change.label}}
        token = self.settings.project_token.reveal()
        return orjson.dumps({"$token": token, "$distinct_id": change.identifier, **operation})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        return _engage(self.http, route, self.limits, records)


@dataclass(frozen=True)
class _Properties:
    settings: MixpanelSettings
    options: PropertyOptions
    http: Http
    limits: Limits = PROFILE_LIMITS

    def route(self, _change: Change) -> str:
        return "engage"

    def encode(self, change: Change) -> bytes:
        record = {
            "$token": self.settings.project_token.reveal(),
            "$distinct_id": change.identifier,
            "$set": read_profile(change),
        }
        return orjson.dumps(record)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        return _engage(self.http, route, self.limits, records)


def _engage(http: Http, route: str, limits: Limits, records: Sequence[bytes]) -> Reply:
    """Change profiles: one record a person, uncompressed, because gzip is not taken here."""
    answer = http.post(
        route,
        content=limits.join(records),
        headers={"Content-Type": "application/json"},
        params={"ip": "0", "strict": "1", "verbose": "1"},
    )
    return read_reply(answer, len(records))


def _check(settings: MixpanelSettings, http: Http) -> Check:
    """Send one event that Mixpanel must refuse: the refusal shows that the credentials are good."""
    record = b'{"event":"","properties":{"time":0,"distinct_id":"","$insert_id":""}}'
    reply = _Events.open(settings, EventOptions(), http).send("import", [record])
    match reply:
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the credentials")
        case Denied():
            return Check(is_ok=False, message="refuses the credentials")
        case Later(reason=reason) | Stop(reason=reason) | TooLarge(reason=reason):
            return Check(is_ok=False, message=reason)


def _check_lookup(settings: MixpanelSettings, http: Http) -> Check:
    """Try the credentials where they are tried for events too, below the region's address."""
    return _check(settings, http.at(settings.url))


MIXPANEL = Destination(
    name="mixpanel",
    documentation="https://docs.mixpanel.com/reference/overview",
    settings=MixpanelSettings,
    objects={
        # sent again with the same time, distinct_id and $insert_id, an event is still one event
        "message_events": Object(frozenset(["append"]), EventOptions, _Events.open),
        "audience_members": Object(frozenset(["mirror", "upsert"]), MembershipOptions, _Members),
        # there is nothing to take away: what a profile had before is not known
        "person_properties": Object(frozenset(["upsert"]), PropertyOptions, _Properties),
        "campaign_lookup": Object(
            frozenset(["upsert"]),
            LookupOptions,
            LookupTable.open,
            # another table is another place, to be filled anew
            url=lambda settings: (
                f"{settings.url.rstrip('/')}/lookup-tables/{settings.lookup_table_id}"
            ),
            check=_check_lookup,
            is_about_people=False,
        ),
    },
    check=_check,
)
