"""Customer.io: people and events through `/api/v2/batch`, and members of manual segments.

A person is named by one identifier, and the outbound model says of which kind: the sync's identity
is `profile_key`. A batch answered 207 was taken but for the items it names. An event has a ULID
made of its own time and key: sent twice, it is one.

What is deliberately not known: 200 means that a request was well formed. What a workspace refuses
later, an address of somebody else's on a profile for one, it tells in its activity log alone.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Deletion,
    DeletionTaken,
    Destination,
    Limits,
    NoOptions,
    Object,
    Stop,
    Taken,
    Unnamed,
)
from reverse_etl.destinations import customerio_rules as rules
from reverse_etl.destinations.customerio_app import AppApi
from reverse_etl.destinations.customerio_segments import SegmentOptions, Segments
from reverse_etl.destinations.customerio_settings import HOSTS, CustomerioSettings
from reverse_etl.destinations.payloads import read_instant
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import UNREADABLE, failed, read_object
from reverse_etl.destinations.settings_rules import absent, require_one_of
from reverse_etl.http import Answer
from reverse_etl.profile_keys import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

_PATH = "api/v2/batch"
# the count of items has no limit of its own; "100 requests per second" is the oldest fair use
LIMITS = Limits(
    records=1_000,
    size=rules.MAX_BATCH_BYTES - 1,
    record_size=rules.MAX_ITEM_BYTES,
    requests_per_second=100.0,
    connections=4,
    prefix=b'{"batch":[',
    separator=b",",
    suffix=b"]}",
)
_ACTIONS = ("event", "screen", "page")


@dataclass(frozen=True)
class EventOptions:
    """Options of events: `action` is `event`, `screen` or `page`."""

    action: str = "event"

    def __post_init__(self) -> None:
        """Refuse an unknown action."""
        require_one_of("customerio", "action", self.action, _ACTIONS)


def _write_person(change: Change) -> bytes:
    """An update that creates who is not there. Nothing here deletes anybody."""
    item = {
        "type": "person",
        "identifiers": rules.identify_by(change),
        "action": "identify",
        "attributes": rules.read_attributes(change),
    }
    return orjson.dumps(item)


def _write_event(action: str, change: Change) -> bytes:
    """An event whose id is made of its own time and key."""
    occurred_ms = read_instant(change)
    item = {
        "type": "person",
        "identifiers": rules.identify_by(change),
        "action": action,
        "name": rules.event_name(change),
        "id": rules.ulid(occurred_ms, change.record_key),
        "timestamp": occurred_ms // 1000,
        "attributes": rules.read_data(change),
    }
    return orjson.dumps(item)


def _open_people(settings: CustomerioSettings, _options: NoOptions, http: Http) -> Posted:
    return Posted(_PATH, LIMITS, _write_person, partial(_send, settings, http))


def _open_events(settings: CustomerioSettings, options: EventOptions, http: Http) -> Posted:
    write = partial(_write_event, options.action)
    return Posted(_PATH, LIMITS, write, partial(_send, settings, http))


def _send(settings: CustomerioSettings, http: Http, path: str, content: bytes, count: int) -> Reply:
    """Make one attempt, and read the reply."""
    answer = http.post(path, content=content, headers=settings.headers)
    return _read(answer, count) if isinstance(answer, Answer) else answer


def _read(answer: Answer, count: int) -> Reply:
    """Read a reply to a batch: its status alone says nothing of its items."""
    body = read_object(answer)
    errors = None if body is None else body.get("errors", [])
    if not isinstance(errors, list):
        return UNREADABLE
    if answer.status >= codes.BAD_REQUEST:
        return Unnamed(rules.words(errors[0] if errors else None))
    if not errors and answer.status == codes.MULTI_STATUS:
        return UNREADABLE
    refused: dict[int, str] = {}
    for error in errors:
        index = error.get("batch_index") if isinstance(error, dict) else None
        if type(index) is not int or not 0 <= index < count:
            return Unnamed("refused some of the batch, and the reply does not say which")
        refused.setdefault(index, rules.words(error))
    return Taken(refused)


def _suppress(
    settings: CustomerioSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    """Delete profiles for good, and keep their identifiers from coming back.

    `suppress` does both. A `delete` before it would leave a profile's other identifiers free: those
    of a profile that is still there are suppressed with the one named.
    """
    items = []
    for identifier in identifiers:
        parts = split(identifier)
        if parts is None:
            return Stop("knows people by their kind of identifier, and one here has none")
        kind, value = parts
        items.append(
            {"type": "person", "identifiers": {rules.KINDS[kind]: value}, "action": "suppress"}
        )
    content = LIMITS.join([orjson.dumps(item) for item in items])
    answer = http.post(_PATH, content=content, headers=settings.headers)
    reply = _read(answer, len(items)) if isinstance(answer, Answer) else answer
    return DeletionTaken("deleted and suppressed") if reply == Taken() else reply


def _check(settings: CustomerioSettings, http: Http) -> Check:
    """Ask which region the workspace of these keys is in."""
    match http.get("api/v1/accounts/region", headers=settings.headers):
        case Answer(status=codes.OK) as answer:
            return _region(settings, (read_object(answer) or {}).get("region"))
        case reply:
            return failed(reply, "refuses site_id and api_key")


def _region(settings: CustomerioSettings, found: object) -> Check:
    if found not in HOSTS:
        return Check(is_ok=False, message="does not answer as Customer.io does")
    if found != settings.region:
        message = f"the workspace is in {found}: set region = {found!r}, for every host"
        return Check(is_ok=False, message=message)
    return Check(is_ok=True, message=f"answers for a workspace in {found}, and takes the keys")


def _check_segments(settings: CustomerioSettings, http: Http) -> Check:
    """Ask both APIs."""
    check = _check(settings, http)
    return AppApi.open(settings, http).check() if check.is_ok else check


CUSTOMERIO = Destination(
    name="customerio",
    documentation="https://docs.customer.io/integrations/api/track/",
    settings=CustomerioSettings,
    objects={
        "people": Object(frozenset(["upsert"]), NoOptions, _open_people),
        "events": Object(frozenset(["append"]), EventOptions, _open_events),
        "segment_members": Object(
            frozenset(["mirror", "upsert"]), SegmentOptions, Segments.open, check=_check_segments
        ),
    },
    check=_check,
    deletions=(
        Deletion(
            covers="everything",
            documentation="https://docs.customer.io/journeys/deleting-users/",
            request=f"POST /{_PATH} (suppress)",
            limit=1_000,
            missing=lambda settings: absent(site_id=settings.site_id, api_key=settings.api_key),
            url=lambda settings: str(settings.url),
            ask=_suppress,
        ),
    ),
)
