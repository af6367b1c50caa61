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

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.clock import milliseconds
from reverse_etl.contract import (
    Check,
    Destination,
    Later,
    Limits,
    NoOptions,
    Object,
    Taken,
    Unnamed,
)
from reverse_etl.destinations.payloads import iso_instant
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import UNREADABLE, failed, read_object
from reverse_etl.destinations.segment_calls import MAX_BATCH_BYTES, MAX_CALL_BYTES, MAX_CALLS, Calls
from reverse_etl.destinations.segment_deletion import DELETIONS
from reverse_etl.destinations.segment_settings import SegmentSettings
from reverse_etl.destinations.settings_rules import require_one_of
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.http import Http

_PATH = "v1/batch"
_OPENING, _CLOSING = b'{"batch":[', b'],"sentAt":"2026-01-15T10:20:30.000Z"}'
_SIZE = MAX_BATCH_BYTES - len(_OPENING) - len(_CLOSING)
# "1,000 requests per second" is recommended a workspace: four connections do not come near it
EVENT_LIMITS = Limits(MAX_CALLS, _SIZE, MAX_CALL_BYTES, connections=4, separator=b",")
# a membership is two calls
MEMBER_LIMITS = Limits(MAX_CALLS // 2, _SIZE, 2 * MAX_CALL_BYTES, connections=4, separator=b",")
_KINDS = ("both", "identify", "track")


@dataclass(frozen=True)
class MembershipOptions:
    """Options of audience members: `calls` is `both`, `identify` or `track`."""

    calls: str = "both"

    def __post_init__(self) -> None:
        """Refuse an unknown kind of call."""
        require_one_of("segment", "calls", self.calls, _KINDS)


def _open_events(settings: SegmentSettings, _options: NoOptions, http: Http) -> Posted:
    calls = Calls.to(settings.account, http.clock)
    return Posted(_PATH, EVENT_LIMITS, calls.write_event, partial(_send, settings, http))


def _open_members(settings: SegmentSettings, options: MembershipOptions, http: Http) -> Posted:
    calls = Calls.to(settings.account, http.clock)
    write = partial(calls.write_membership, wanted=options.calls)
    return Posted(_PATH, MEMBER_LIMITS, write, partial(_send, settings, http))


def _open_traits(settings: SegmentSettings, _options: NoOptions, http: Http) -> Posted:
    calls = Calls.to(settings.account, http.clock)
    return Posted(_PATH, EVENT_LIMITS, calls.write_traits, partial(_send, settings, http))


def _send(settings: SegmentSettings, http: Http, _path: str, content: bytes, _count: int) -> Reply:
    """Make one attempt, and read the reply."""
    # Segment moves an event by what lies between `sentAt` and when it receives the batch
    now = iso_instant(milliseconds(http.clock.now()))
    body = _OPENING + content + b'],"sentAt":"' + now.encode() + b'"}'
    return _read(_post(settings, http, body), http)


def _post(settings: SegmentSettings, http: Http, body: bytes) -> Answer | Reply:
    read = READ_BY_DESTINATION | {codes.TOO_MANY_REQUESTS}
    return http.post(_PATH, content=body, headers=settings.headers, read=read)


def _read(answer: Answer | Reply, http: Http) -> Reply:
    """Read a reply; the body of a 200 is not documented but for being an object."""
    if not isinstance(answer, Answer):
        return answer
    if answer.status == codes.TOO_MANY_REQUESTS:
        # both headers are documented as seconds
        header = answer.headers.get("retry-after") or answer.headers.get("x-ratelimit-reset")
        wait = retry_after(header, now=http.clock.now())
        return Later("answered 429", is_maybe_accepted=False, wait_seconds=wait)
    body = read_object(answer)
    if body is None:
        return UNREADABLE
    if answer.status == codes.BAD_REQUEST or body.get("success") is False:
        return Unnamed("refused as too large or not JSON, and the reply does not say which call")
    return Taken()


def _check(settings: SegmentSettings, http: Http) -> Check:
    """Send what is not JSON: the refusal shows that somebody answers, and nothing can arrive."""
    match _post(settings, http, orjson.dumps({"batch": []})[:-1]):
        case Answer(status=codes.BAD_REQUEST):
            message = "answers; Segment does not tell a wrong write key, so look at its Debugger"
            return Check(is_ok=True, message=message)
        case reply:
            return failed(reply, "does not answer as Segment does")


SEGMENT = Destination(
    name="segment",
    documentation="https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/",
    settings=SegmentSettings,
    objects={
        # Segment drops a messageId it has seen in the last 24 hours, "best effort"
        "message_events": Object(frozenset(["append"]), NoOptions, _open_events),
        "audience_members": Object(
            frozenset(["mirror", "upsert"]), MembershipOptions, _open_members
        ),
        "person_properties": Object(frozenset(["upsert"]), NoOptions, _open_traits),
    },
    check=_check,
    deletions=DELETIONS,
)
