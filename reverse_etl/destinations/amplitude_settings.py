"""Where Amplitude is, which project is meant, and which of the two ways in events take.

https://amplitude.com/docs/apis/analytics/http-v2
https://amplitude.com/docs/apis/analytics/batch-event-upload
"""

from __future__ import annotations

from dataclasses import dataclass

from reverse_etl.contract import Limits
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.settings_rules import needs, require_number, require_one_of

HOSTS = {"us": "https://api2.amplitude.com", "eu": "https://api.eu.amplitude.com"}
# not analytics.amplitude.com, which is the application in a browser
COHORT_HOSTS = {"us": "https://amplitude.com", "eu": "https://analytics.eu.amplitude.com"}

_ENVELOPE = 1_000
"""Bytes kept for what surrounds the events: the key, which stands in the body, and the options."""


@dataclass(frozen=True)
class Endpoint:
    """One of the two ways in: how much it takes, and how long who is throttled there waits."""

    path: str
    limits: Limits
    pause_seconds: float


ENDPOINTS = {
    # "20 MB", 2,000 events; "retry after 15 seconds"
    "batch": Endpoint(
        "batch",
        Limits(2_000, 20_000_000 - _ENVELOPE, 1_000_000 - _ENVELOPE, connections=4, separator=b","),
        15.0,
    ),
    # "under 1 MB with fewer than 2000 events"; "pause … for a period of 30 seconds"
    "http": Endpoint(
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
        secret_key: The project's secret key: cohorts and `cio erase` need it, events do not.
        app_id: The project's number, in which cohorts are made.
        owner: The login e-mail of whoever is to own the cohorts.
        region: `us` or `eu`: where the project lies.
        endpoint: `batch`, or `http` for HTTP V2: sooner visible, and 30 events a second a person.
        base_url: In place of the region's, for events.
        cohorts_base_url: In place of the region's, for cohorts.
    """

    api_key: Secret = NO_SECRET
    secret_key: Secret = NO_SECRET
    app_id: str = ""
    owner: str = ""
    region: str = "us"
    endpoint: str = "batch"
    base_url: str = ""
    cohorts_base_url: str = ""

    missing = needs("api_key", audience_members=("secret_key", "app_id", "owner"))

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
