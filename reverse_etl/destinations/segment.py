"""Segment: message events as `track`, audience membership as traits and `Audience Entered`.

Segment answers 200 to nearly everything, a wrong write key, a call without an id and a batch of too
many calls included; 400 means a request too large or not JSON. So each row is held to the rules
before it is sent, and `accepted` says that it kept to them and that its request got a 200. What is
deliberately not known: whether the write key is right, whether the region is (the wrong one loses
everything in silence), and whether a source's schema controls drop the event. Segment's Debugger
shows that.

There is no API for the members of an audience either. Membership is written as Engage writes it: a
trait `{audience_key: true | false}`, and the events `Audience Entered` and `Audience Exited`.
`context.personas` is not claimed: these audiences are not Engage's.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
https://segment.com/docs/engage/using-engage-data/
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.clock import milliseconds
from reverse_etl.contract import (
    Check,
    Destination,
    Later,
    Limits,
    Object,
    Refused,
    Stop,
    Taken,
    Unnamed,
)
from reverse_etl.credentials import Secret
from reverse_etl.destinations.payloads import iso_instant, read_payload
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.segment_rules import (
    MAX_BATCH_BYTES,
    MAX_CALL_BYTES,
    MAX_CALLS,
    audience_key,
    encode_call,
)
from reverse_etl.destinations.settings_rules import absent, require_one_of
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

HOSTS = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}

_PATH = "v1/batch"
_OPENING, _CLOSING = b'{"batch":[', b'],"sentAt":"2026-01-15T10:20:30.000Z"}'
_SIZE = MAX_BATCH_BYTES - len(_OPENING) - len(_CLOSING)
# "1,000 requests per second" is recommended a workspace: four connections do not come near it
EVENT_LIMITS = Limits(MAX_CALLS, _SIZE, MAX_CALL_BYTES, connections=4, separator=b",")
# a membership is two calls
MEMBER_LIMITS = Limits(MAX_CALLS // 2, _SIZE, 2 * MAX_CALL_BYTES, connections=4, separator=b",")
_CONTEXT = {"library": {"name": "customerio-warehouse", "version": version("customerio-warehouse")}}
_CALLS = ("both", "identify", "track")


@dataclass(frozen=True)
class SegmentSettings:
    """`[reverse_etl.segment]`: the write key of a source of the HTTP API, and its region."""

    write_key: Secret = field(default_factory=lambda: Secret(""))
    region: str = "us"
    base_url: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown region."""
        require_one_of("segment", "region", self.region, HOSTS)

    @property
    def url(self) -> str:
        """`base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def account(self) -> str:
        """The source, by its write key."""
        return self.write_key.reveal()

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Nothing goes without a write key."""
        return absent(write_key=self.write_key)


@dataclass(frozen=True)
class EventOptions:
    """Message events have no options: what is sent is the outbound model's to decide."""


@dataclass(frozen=True)
class MembershipOptions:
    """Options of audience members: `calls` is `both`, `identify` or `track`."""

    calls: str = "both"

    def __post_init__(self) -> None:
        """Refuse an unknown kind of call."""
        require_one_of("segment", "calls", self.calls, _CALLS)


@dataclass(frozen=True)
class _Source:
    """One source: how a batch gets there, whatever its calls are."""

    settings: SegmentSettings
    http: Http

    @cached_property
    def prefix(self) -> str:
        """What messageIds begin with: Segment compares them over all sources and workspaces."""
        return "cio-" + hashlib.sha256(self.settings.account.encode()).hexdigest()[:12]

    def call(self, change: Change, kind: str, instant: str, message_id: str) -> dict[str, Any]:
        """What every call has."""
        return {
            "type": kind,
            "userId": change.identifier,
            "timestamp": instant,
            "messageId": f"{self.prefix}-{message_id}",
            "context": _CONTEXT,
        }

    def send(self, _path: str, content: bytes, _count: int) -> Reply:
        """Make one attempt, and read the reply."""
        # Segment moves an event by what lies between `sentAt` and when it receives the batch
        now = iso_instant(milliseconds(self.http.clock.now()))
        return _read(self.post(_OPENING + content + b'],"sentAt":"' + now.encode() + b'"}'), self)

    def post(self, content: bytes) -> Answer | Reply:
        """Post a body."""
        pair = base64.b64encode(f"{self.settings.write_key.reveal()}:".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {pair}"}
        read = READ_BY_DESTINATION | {codes.TOO_MANY_REQUESTS}
        return self.http.post(_PATH, content=content, headers=headers, read=read)


def _write_event(source: _Source, change: Change) -> bytes:
    if change.occurred_ms is None:
        message = "an event without a time"
        raise Refused(message)
    instant = iso_instant(change.occurred_ms)
    call = source.call(change, "track", instant, change.record_key)
    call["event"] = change.label
    call["properties"] = read_payload(change)
    return encode_call(call)


def _write_membership(source: _Source, wanted: str, change: Change) -> bytes:
    """A trait, an event, or both: who enters a second time must not be taken for the first.

    So the messageId has the moment in it: kept over the attempts of a run, another in the next.
    """
    key, is_in = audience_key(change.label), change.operation != "remove"
    now = milliseconds(source.http.clock.now())
    instant = iso_instant(now)
    base = f"{change.record_key}-{change.operation}-{now}"
    identify = source.call(change, "identify", instant, f"{base}-i")
    track = source.call(change, "track", instant, f"{base}-t")
    calls = {
        "identify": identify | {"traits": {key: is_in}},
        "track": track
        | {
            "event": "Audience Entered" if is_in else "Audience Exited",
            "properties": {"audience_key": key, key: is_in, "audience_name": change.label},
        },
    }
    names = [wanted] if wanted in calls else list(calls)
    return b",".join(encode_call(calls[name]) for name in names)


def _write_traits(source: _Source, change: Change) -> bytes:
    """An `identify`; a value that returns within a day is no repetition: the moment is in it.

    A trait that is null would be overwritten with nothing, so it is not sent.
    """
    traits = {key: value for key, value in read_payload(change).items() if value is not None}
    if not traits:
        message = "no trait has a value"
        raise Refused(message)
    now = milliseconds(source.http.clock.now())
    message_id = f"{change.record_key}-p-{now}"
    call = source.call(change, "identify", iso_instant(now), message_id)
    return encode_call(call | {"traits": traits})


@dataclass(frozen=True)
class TraitOptions:
    """Properties of people have no options: names and values are the outbound model's."""


@dataclass(frozen=True)
class _Calls(Posted):
    """A channel whose records are calls to one source."""

    source: _Source


def _open_events(settings: SegmentSettings, _options: EventOptions, http: Http) -> _Calls:
    source = _Source(settings, http)
    return _Calls(_PATH, EVENT_LIMITS, partial(_write_event, source), source.send, source)


def _open_members(settings: SegmentSettings, options: MembershipOptions, http: Http) -> _Calls:
    source = _Source(settings, http)
    write = partial(_write_membership, source, options.calls)
    return _Calls(_PATH, MEMBER_LIMITS, write, source.send, source)


def _open_traits(settings: SegmentSettings, _options: TraitOptions, http: Http) -> _Calls:
    source = _Source(settings, http)
    return _Calls(_PATH, EVENT_LIMITS, partial(_write_traits, source), source.send, source)


def _read(answer: Answer | Reply, source: _Source) -> Reply:
    """Read a reply; the body of a 200 is not documented but for being an object."""
    if not isinstance(answer, Answer):
        return answer
    if answer.status == codes.TOO_MANY_REQUESTS:
        # both headers are documented as seconds
        header = answer.headers.get("retry-after") or answer.headers.get("x-ratelimit-reset")
        wait = retry_after(header, now=source.http.clock.now())
        return Later("answered 429", is_maybe_accepted=False, wait_seconds=wait)
    body = answer.json()
    if not isinstance(body, dict):
        return Later("a reply that is not the documented one", is_maybe_accepted=True)
    if answer.status == codes.BAD_REQUEST or body.get("success") is False:
        return Unnamed("refused as too large or not JSON, and the reply does not say which call")
    return Taken()


def _check(settings: SegmentSettings, http: Http) -> Check:
    """Send what is not JSON: the refusal shows that somebody answers, and nothing can arrive."""
    match _Source(settings, http).post(orjson.dumps({"batch": []})[:-1]):
        case Answer(status=codes.BAD_REQUEST):
            message = "answers; Segment does not tell a wrong write key, so look at its Debugger"
            return Check(is_ok=True, message=message)
        case Later(reason=reason) | Stop(reason=reason):
            return Check(is_ok=False, message=reason)
        case _:
            return Check(is_ok=False, message="does not answer as Segment does")


SEGMENT = Destination(
    name="segment",
    documentation="https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
    settings=SegmentSettings,
    objects={
        # Segment drops a messageId it has seen in the last 24 hours, "best effort"
        "message_events": Object(frozenset(["append"]), EventOptions, _open_events),
        "audience_members": Object(
            frozenset(["mirror", "upsert"]), MembershipOptions, _open_members
        ),
        "person_properties": Object(frozenset(["upsert"]), TraitOptions, _open_traits),
    },
    check=_check,
)
