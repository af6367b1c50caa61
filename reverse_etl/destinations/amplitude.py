"""Amplitude: message events through `/batch` or HTTP V2, audiences as cohorts.

A 400 takes nothing: the events it lists are refused, the others sent again. `/batch` lists all of
them, HTTP V2 the first of each field, so that there it takes one more request for each; a reply
that lists none halves the batch. Amplitude's rate is one of people: of a 429 only the events of
the people it names wait, and those over their daily quota stay planned for another day.
`insert_id` makes sending again safe for seven days.

https://amplitude.com/docs/apis/analytics/http-v2
https://amplitude.com/docs/apis/analytics/batch-event-upload
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    Object,
    Taken,
    Unnamed,
)
from reverse_etl.credentials import Secret
from reverse_etl.destinations.amplitude_cohorts import (
    CohortOptions,
    Cohorts,
    check_cohorts,
    read_sizes,
)
from reverse_etl.destinations.amplitude_rules import check_event, read_properties
from reverse_etl.destinations.settings_rules import absent, require_number, require_one_of
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
# not analytics.amplitude.com, which is the application in a browser
COHORT_HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}

_ENVELOPE = 1_000
"""Bytes kept for what surrounds the events: the key, which stands in the body, and the options."""


@dataclass(frozen=True)
class _Endpoint:
    """One of the two ways in: how much it takes, and how long who is throttled there waits."""

    path: str
    limits: Limits
    pause_seconds: float


ENDPOINTS = {
    # "20 MB", 2,000 events; "retry after 15 seconds"
    "batch": _Endpoint(
        "batch",
        Limits(2_000, 20_000_000 - _ENVELOPE, 1_000_000 - _ENVELOPE, connections=4, separator=b","),
        15.0,
    ),
    # "under 1 MB with fewer than 2000 events"; "pause … for a period of 30 seconds"
    "http": _Endpoint(
        "2/httpapi",
        Limits(1_999, 999_999 - _ENVELOPE, 999_999 - _ENVELOPE, connections=4, separator=b","),
        30.0,
    ),
}


@dataclass(frozen=True)
class AmplitudeSettings:
    """`[reverse_etl.amplitude]`: a project's API key; for cohorts its secret key, id and an owner.

    Attributes:
        api_key: The project's API key.
        secret_key: The project's secret key: cohorts need it, events do not.
        app_id: The project's number, in which cohorts are made.
        owner: The login e-mail of whoever is to own the cohorts.
        region: `us` or `eu`: where the project lies.
        endpoint: `batch`, or `http` for HTTP V2: sooner visible, and 30 events a second a person.
        base_url: In place of the region's, for events.
        cohorts_base_url: In place of the region's, for cohorts.
    """

    api_key: Secret = field(default_factory=lambda: Secret(""))
    secret_key: Secret = field(default_factory=lambda: Secret(""))
    app_id: str = ""
    owner: str = ""
    region: str = "us"
    endpoint: str = "batch"
    base_url: str = ""
    cohorts_base_url: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown region or endpoint, and an app_id that is no number."""
        require_one_of("amplitude", "region", self.region, HOSTS)
        require_one_of("amplitude", "endpoint", self.endpoint, ENDPOINTS)
        require_number("amplitude", "app_id", self.app_id, "it stands in the project's settings")

    @property
    def url(self) -> str:
        """Where events go: `base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def cohorts_url(self) -> str:
        """Where cohorts go: `cohorts_base_url` if given, else the region's."""
        return self.cohorts_base_url or COHORT_HOSTS[self.region]

    @property
    def account(self) -> str:
        """The project, by its API key."""
        return self.api_key.reveal()

    def missing(self, object_name: str) -> tuple[str, ...]:
        """Events need the API key; cohorts all four."""
        missing = absent(api_key=self.api_key)
        if object_name == "audience_members":
            missing += absent(secret_key=self.secret_key, app_id=self.app_id, owner=self.owner)
        return missing


@dataclass(frozen=True)
class EventOptions:
    """Message events have no options: what is sent is the outbound model's to decide."""


@dataclass(frozen=True)
class _Events:
    settings: AmplitudeSettings
    http: Http
    limits: Limits

    @classmethod
    def open(cls, settings: AmplitudeSettings, _options: EventOptions, http: Http) -> _Events:
        return cls(settings, http, ENDPOINTS[settings.endpoint].limits)

    def route(self, _change: Change) -> str:
        return ENDPOINTS[self.settings.endpoint].path

    def encode(self, change: Change) -> bytes:
        check_event(change)
        return orjson.dumps(
            {
                "user_id": change.identifier,
                "event_type": change.label,
                "time": change.occurred_ms,
                "insert_id": change.record_key,
                "event_properties": read_properties(change),
            }
        )

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        # ids of Customer.io are often short numbers, which Amplitude drops without the option
        key = orjson.dumps(self.settings.api_key.reveal())
        opening = b'{"api_key":' + key + b',"options":{"min_id_length":1},"events":['
        content = gzip.compress(opening + self.limits.join(records) + b"]}", 1, mtime=0)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        read = READ_BY_DESTINATION | {codes.TOO_MANY_REQUESTS}
        answer = self.http.post(route, content=content, headers=headers, read=read)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == codes.TOO_MANY_REQUESTS:
            asked = retry_after(answer.headers.get("retry-after"), now=self.http.clock.now())
            pause = ENDPOINTS[self.settings.endpoint].pause_seconds
            return _read_throttled(answer.json(), records, asked=asked, pause=pause)
        return _read(answer, len(records))


def _read(answer: Answer, count: int) -> Reply:
    """Read a reply other than 429. What a 400 says in words may hold the key: it is not kept."""
    body = answer.json()
    if not isinstance(body, dict):
        return Later("a reply that is not the documented one", is_maybe_accepted=True)
    if answer.status != codes.BAD_REQUEST:
        if body.get("code") == codes.OK and body.get("events_ingested") == count:
            return Taken()
        return Later("a reply whose counts do not agree", is_maybe_accepted=True)
    is_key = str(body.get("error", "")).startswith("Invalid API key")
    if is_key or body.get("missing_field") == "api_key":
        return Denied(answer.status)
    refused: dict[int, str] = {}
    for index, reason in _listed(body):
        refused.setdefault(index, reason)
    if not refused or not all(0 <= index < count for index in refused):
        return Unnamed("refused, and the reply does not say which event")
    return Taken(refused, again=frozenset(range(count)) - refused.keys())


def _listed(body: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The events a 400 lists, by position, and what is wrong with them."""
    words = {
        "events_with_invalid_fields": "is not valid",
        "events_with_missing_fields": "is missing",
        # known from Amplitude's own clients, not from its documentation
        "events_with_invalid_id_lengths": "is too short",
    }
    for key, word in words.items():
        fields = body.get(key)
        for name, indexes in fields.items() if isinstance(fields, dict) else ():
            yield from ((index, f"{name} {word}") for index in _indexes(indexes))
    yield from ((index, "silenced by Amplitude") for index in _indexes(body.get("silenced_events")))


def _indexes(given: object) -> list[int]:
    return [i for i in given if type(i) is int] if isinstance(given, list) else []


def _read_throttled(
    body: object, records: Sequence[bytes], *, asked: float | None, pause: float
) -> Reply:
    """Read a 429: nothing was taken, and it may say whose events are too many."""
    everything = Later("answered 429", is_maybe_accepted=False, wait_seconds=asked)
    if not isinstance(body, dict):
        return everything
    over = body.get("exceeded_daily_quota_users") or {}
    left = {
        position: "this person's events are over Amplitude's daily quota"
        for position, record in enumerate(records)
        if over and orjson.loads(record)["user_id"] in over
    }
    positions = frozenset(range(len(records)))
    later = (positions & frozenset(_indexes(body.get("throttled_events")))) - left.keys()
    again = positions - later - left.keys()
    if not left and not later:
        return everything
    wait = pause if asked is None else asked
    if not left and not again:
        return Later("too many events of these people", is_maybe_accepted=False, wait_seconds=wait)
    return Taken(again=again, later=later, left=left, wait_seconds=wait)


def _check(settings: AmplitudeSettings, http: Http) -> Check:
    """Send one event that Amplitude must refuse: the refusal shows that the key is good."""
    channel = _Events.open(settings, EventOptions(), http)
    match channel.send(ENDPOINTS[settings.endpoint].path, [b'{"user_id":"null"}']):
        case Denied():
            return Check(is_ok=False, message="refuses the API key")
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the API key")
        case reply:
            return Check(is_ok=False, message=reply.reason)


AMPLITUDE = Destination(
    name="amplitude",
    documentation="https://amplitude.com/docs/apis",
    settings=AmplitudeSettings,
    objects={
        "message_events": Object(frozenset(["append"]), EventOptions, _Events.open),
        "audience_members": Object(
            frozenset(["mirror", "upsert"]),
            CohortOptions,
            Cohorts.open,
            url=lambda settings: str(settings.cohorts_url),
            check=check_cohorts,
            sizes=read_sizes,
        ),
    },
    check=_check,
)
