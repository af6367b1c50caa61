"""Customer.io: people and events through `/api/v2/batch`, and members of manual segments.

A person is named by one identifier, and the outbound model says of which kind: the sync's identity
is `profile_key`. A batch answered 207 was taken but for the items it names. An event has a ULID
made of its own time and key: sent twice, it is one.

What is deliberately not known: 200 means that a request was well formed. What a workspace refuses
later, an address of somebody else's on a profile for one, it tells in its activity log alone.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Deletion,
    DeletionTaken,
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
from reverse_etl.destinations import customerio_rules as rules
from reverse_etl.destinations.customerio_segments import (
    SegmentOptions,
    Segments,
    check_segments,
)
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.settings_rules import absent, require_one_of
from reverse_etl.http import Answer, is_loopback
from reverse_etl.profile_keys import split
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
APP_HOSTS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}

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
class CustomerioSettings:
    """`[reverse_etl.customerio]`: the Track API's keys, and the App API's for segments.

    With a `base_url` of its own and no `app_base_url`, one address stands for both APIs.
    """

    site_id: str = ""
    api_key: Secret = field(default_factory=lambda: Secret(""))
    app_api_key: Secret = field(default_factory=lambda: Secret(""))
    region: str = "us"
    base_url: str = ""
    app_base_url: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown region, and a stand-in beside the real thing."""
        require_one_of("customerio", "region", self.region, HOSTS)
        if is_loopback(self.url) != is_loopback(self.app_url):
            message = "customerio: base_url and app_base_url must both be this machine, or neither"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """`base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def app_url(self) -> str:
        """Where the App API answers."""
        return self.app_base_url or self.base_url or APP_HOSTS[self.region]

    @property
    def account(self) -> str:
        """The workspace, by the id of its Track credentials."""
        return self.site_id

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the Track API."""
        pair = base64.b64encode(f"{self.site_id}:{self.api_key.reveal()}".encode()).decode()
        return {"Content-Type": "application/json", "Authorization": f"Basic {pair}"}

    def missing(self, object_name: str) -> tuple[str, ...]:
        """Segments are looked up, and read back, through the App API."""
        missing = absent(site_id=self.site_id, api_key=self.api_key)
        if object_name == "segment_members":
            return missing + absent(app_api_key=self.app_api_key)
        return missing


@dataclass(frozen=True)
class PeopleOptions:
    """People have no options: which attributes leave is the outbound model's to decide."""


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
    if change.occurred_ms is None:
        message = "an event without a time"
        raise Refused(message)
    item = {
        "type": "person",
        "identifiers": rules.identify_by(change),
        "action": action,
        "name": rules.event_name(change),
        "id": rules.ulid(change.occurred_ms, change.record_key),
        "timestamp": change.occurred_ms // 1000,
        "attributes": rules.read_data(change),
    }
    return orjson.dumps(item)


def _open_people(settings: CustomerioSettings, _options: PeopleOptions, http: Http) -> Posted:
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
    body = answer.json()
    errors = body.get("errors", []) if isinstance(body, dict) else None
    if not isinstance(errors, list):
        return Later("a reply that is not the documented one", is_maybe_accepted=True)
    if answer.status >= codes.BAD_REQUEST:
        return Unnamed(rules.words(errors[0] if errors else None))
    if not errors and answer.status == codes.MULTI_STATUS:
        return Later("a reply that is not the documented one", is_maybe_accepted=True)
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
            return _region(settings, answer.json())
        case Later(reason=reason) | Stop(reason=reason):
            return Check(is_ok=False, message=reason)
        case _:
            return Check(is_ok=False, message="refuses site_id and api_key")


def _region(settings: CustomerioSettings, body: Any) -> Check:  # noqa: ANN401 - any JSON
    found = body.get("region") if isinstance(body, dict) else None
    if found not in HOSTS:
        return Check(is_ok=False, message="does not answer as Customer.io does")
    if found != settings.region:
        message = f"the workspace is in {found}: set region = {found!r}, for every host"
        return Check(is_ok=False, message=message)
    return Check(is_ok=True, message=f"answers for a workspace in {found}, and takes the keys")


def _check_segments(settings: CustomerioSettings, http: Http) -> Check:
    """Ask both APIs."""
    check = _check(settings, http)
    return check_segments(settings, http) if check.is_ok else check


CUSTOMERIO = Destination(
    name="customerio",
    documentation="https://docs.customer.io/integrations/api/track/",
    settings=CustomerioSettings,
    objects={
        "people": Object(frozenset(["upsert"]), PeopleOptions, _open_people),
        "events": Object(frozenset(["append"]), EventOptions, _open_events),
        "segment_members": Object(
            frozenset(["mirror", "upsert"]), SegmentOptions, Segments, check=_check_segments
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
