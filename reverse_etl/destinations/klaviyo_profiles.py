"""People at Klaviyo: by what they are named there, and their properties by bulk import.

A profile made by an import can be mailed unless it is suppressed: so none is made unless the sync
says so, and whoever has none stays planned until there is one.

https://developers.klaviyo.com/en/reference/bulk_import_profiles
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Limits, Refused
from reverse_etl.destinations.klaviyo_api import Api, KlaviyoSettings
from reverse_etl.destinations.klaviyo_jobs import ImportJobs
from reverse_etl.destinations.payloads import read_values
from reverse_etl.destinations.settings_rules import require_one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# "10,000 profiles", "5MB", "100KB per profile", 150 a minute; what surrounds the profiles is small
LIMITS = Limits(
    10_000, 5_000_000 - 500, 100_000, requests_per_second=2.5, connections=2, separator=b","
)
# "a maximum of 1000 profiles per call"
MOST_MEMBERS = 1_000
# 750 looks a minute, ten for a request of so many
LOOKED_UP = replace(LIMITS, records=MOST_MEMBERS, requests_per_second=1.25)
KEYS = ("email", "external_id")
OWN = ("first_name", "last_name", "organization", "locale", "title", "image")
"""Attributes that every profile has; other names are custom properties."""

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class ProfileOptions:
    """Options of profiles.

    Attributes:
        identifier: What the sync's identity is at Klaviyo: `email` or `external_id`.
        create_profiles: Make profiles that are not there. They can be mailed, and count on the
            bill.
    """

    identifier: str = "email"
    create_profiles: bool = False

    def __post_init__(self) -> None:
        """Refuse an unknown identifier."""
        require_one_of("klaviyo", "identifier", self.identifier, KEYS)


def identify(key: str, change: Change) -> dict[str, str]:
    """The attribute that names a person.

    Raises:
        Refused: There is none, or it is not what the vendor takes.
    """
    identifier = change.identifier
    if not identifier:
        message = "nobody the row is about"
        raise Refused(message)
    if key == "email" and not _ADDRESS.fullmatch(identifier):
        message = "the identifier is not an e-mail address"
        raise Refused(message)
    return {key: identifier}


@dataclass(frozen=True)
class Profiles:
    """A channel that writes properties of people.

    Attributes:
        options: The sync's.
        jobs: The imports of the run.
        limits: What one request may carry.
    """

    options: ProfileOptions
    jobs: ImportJobs
    limits: Limits

    @classmethod
    def open(cls, settings: KlaviyoSettings, options: ProfileOptions, http: Http) -> Profiles:
        """Open the channel; nothing is asked yet."""
        return cls(options, open_jobs(Api(settings, http), options), limits_of(options))

    def route(self, _change: Change) -> str:
        """All profiles share requests."""
        return "import"

    def encode(self, change: Change) -> bytes:
        """A profile with its properties; a null would not clear anything, so it is not sent."""
        values = read_values(change)
        own = {key: values.pop(key) for key in OWN if key in values}
        attributes = identify(self.options.identifier, change) | own
        return orjson.dumps(
            {
                "type": "profile",
                "attributes": attributes | ({"properties": values} if values else {}),
            }
        )

    def send(self, _route: str, records: Sequence[bytes]) -> Reply:
        """Import, or ask what became of the import."""
        return self.jobs.run(records)


def open_jobs(api: Api, options: ProfileOptions) -> ImportJobs:
    """The imports of a run."""
    return ImportJobs(api, options.identifier, options.create_profiles)


def limits_of(options: ProfileOptions) -> Limits:
    """Where people are looked up first, requests are smaller, so that an attempt stays short."""
    return LIMITS if options.create_profiles else LOOKED_UP
