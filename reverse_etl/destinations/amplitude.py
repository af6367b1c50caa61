"""Amplitude: message events through `/batch` or HTTP V2, audiences as cohorts, user properties.

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
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Check, Denied, Destination, Limits, Object, Taken, Unnamed
from reverse_etl.credentials import Secret
from reverse_etl.destinations.amplitude_cohorts import (
    CohortOptions,
    Cohorts,
    check_cohorts,
    read_sizes,
)
from reverse_etl.destinations.amplitude_identify import Properties, PropertyOptions
from reverse_etl.destinations.amplitude_replies import read_answer, read_throttled
from reverse_etl.destinations.amplitude_rules import check_event, read_properties
from reverse_etl.destinations.settings_rules import absent, require_number, require_one_of
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

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
            return read_throttled(answer.json(), records, asked=asked, pause=pause)
        return read_answer(answer, len(records))


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
        # there is nothing to take away: what a user had before is not known
        "person_properties": Object(frozenset(["upsert"]), PropertyOptions, Properties.open),
    },
    check=_check,
)
