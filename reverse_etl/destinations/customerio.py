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

from reverse_etl.contract import Check, Destination, NoOptions, Object
from reverse_etl.destinations import customerio_rules as rules
from reverse_etl.destinations.customerio_app import AppApi
from reverse_etl.destinations.customerio_batch import LIMITS, PATH, send
from reverse_etl.destinations.customerio_deletion import DELETIONS
from reverse_etl.destinations.customerio_segments import SegmentOptions, Segments
from reverse_etl.destinations.customerio_settings import HOSTS, CustomerioSettings
from reverse_etl.destinations.payloads import read_instant
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import failed, read_object
from reverse_etl.destinations.settings_rules import require_one_of
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Change
    from reverse_etl.http import Http

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
    return Posted(PATH, LIMITS, _write_person, partial(send, settings, http))


def _open_events(settings: CustomerioSettings, options: EventOptions, http: Http) -> Posted:
    write = partial(_write_event, options.action)
    return Posted(PATH, LIMITS, write, partial(send, settings, http))


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
    deletions=DELETIONS,
)
