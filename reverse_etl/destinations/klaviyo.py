"""Klaviyo: profiles by bulk import, and audiences as lists, one for each label.

A profile made by an import can be mailed unless it is suppressed: so none is made unless the sync
says so, and whoever has none stays planned until there is one. Adding to a list and removing from
it leaves consent alone. Nobody is ever subscribed: a subscription lifts suppressions, and asks of
people what they did not say here.

https://developers.klaviyo.com/en/reference/bulk_import_profiles
https://developers.klaviyo.com/en/reference/add_profiles_to_list
https://developers.klaviyo.com/en/reference/remove_profiles_from_list
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Destination, Later, Limits, Object, Refused, Taken, Unnamed
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.klaviyo_api import (
    UNDOCUMENTED,
    Api,
    KlaviyoSettings,
    check,
    folded,
)
from reverse_etl.destinations.klaviyo_jobs import NO_PROFILE, ImportJobs
from reverse_etl.destinations.klaviyo_lists import TERMS, open_directory, read_sizes
from reverse_etl.destinations.payloads import read_payload
from reverse_etl.destinations.settings_rules import require_one_of
from reverse_etl.http import Answer

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


@dataclass(frozen=True)
class MemberOptions(ProfileOptions):
    """Options of audience members, beside those of profiles.

    Attributes:
        create: Make a list that is not there, named like its label.
        list_ids: Ids of lists by label, where they are there under other names.
    """

    create: bool = True
    list_ids: Mapping[str, str] = field(default_factory=dict)


def _identify(key: str, change: Change) -> dict[str, str]:
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
        return cls(options, _jobs(Api(settings, http), options), _limits(options))

    def route(self, _change: Change) -> str:
        """All profiles share requests."""
        return "import"

    def encode(self, change: Change) -> bytes:
        """A profile with its properties; a null would not clear anything, so it is not sent."""
        values = {key: value for key, value in read_payload(change).items() if value is not None}
        if not values:
            message = "no property has a value"
            raise Refused(message)
        own = {key: values.pop(key) for key in OWN if key in values}
        attributes = _identify(self.options.identifier, change) | own
        return orjson.dumps(
            {
                "type": "profile",
                "attributes": attributes | ({"properties": values} if values else {}),
            }
        )

    def send(self, _route: str, records: Sequence[bytes]) -> Reply:
        """Import, or ask what became of the import."""
        return self.jobs.run(records)


@dataclass(frozen=True)
class Members:
    """A channel that keeps one list for each label.

    Attributes:
        api: Where requests go.
        options: The sync's.
        directory: The account's lists.
        jobs: The imports of the run.
        limits: What one request may carry.
    """

    api: Api
    options: MemberOptions
    directory: Directory
    jobs: ImportJobs
    limits: Limits

    @classmethod
    def open(cls, settings: KlaviyoSettings, options: MemberOptions, http: Http) -> Members:
        """Open the channel; nothing is asked yet."""
        api = Api(settings, http)
        directory = open_directory(api, may_make=options.create, ids=options.list_ids)
        # who is to be removed is looked up in any case
        limits = replace(LOOKED_UP, records=_limits(options).records, removals=MOST_MEMBERS)
        return cls(api, options, directory, _jobs(api, options), limits)

    def route(self, change: Change) -> str:
        """Additions and removals of one list go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A profile with nothing but what identifies it."""
        if not change.label.strip():
            message = "an audience without a label"
            raise Refused(message)
        attributes = _identify(self.options.identifier, change)
        return orjson.dumps({"type": "profile", "attributes": attributes})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the list, make it if allowed, then add or remove."""
        found = self.directory.locate(route)
        if not isinstance(found, Located):
            return found
        if found.operation == TERMS.adds and self.options.create_profiles:
            return self.jobs.run(records, found.audience)
        return self._change(found, records)

    def _change(self, to: Located, records: Sequence[bytes]) -> Reply:
        """Add people who have a profile, or remove them; a removal of nobody is done."""
        key = self.options.identifier
        names = [folded(key, orjson.loads(record)["attributes"][key]) for record in records]
        known = self.api.find_profiles(key, sorted(set(names)))
        if not isinstance(known, dict):
            return known
        if known:
            members = [{"type": "profile", "id": each} for each in sorted(set(known.values()))]
            answer = self.api.request(
                "POST" if to.operation == TERMS.adds else "DELETE",
                f"api/lists/{to.audience}/relationships/profiles",
                content=orjson.dumps({"data": members}),
            )
            if not isinstance(answer, Answer):
                return answer
            if answer.status >= codes.BAD_REQUEST:
                return Unnamed("refused, and the reply does not say which profile")
            if answer.status != codes.NO_CONTENT:
                return Later(UNDOCUMENTED, is_maybe_accepted=True)
        if to.operation == TERMS.removes:
            return Taken()
        return Taken(left={i: NO_PROFILE for i, name in enumerate(names) if name not in known})


def _jobs(api: Api, options: ProfileOptions) -> ImportJobs:
    return ImportJobs(api, options.identifier, options.create_profiles)


def _limits(options: ProfileOptions) -> Limits:
    """Where people are looked up first, requests are smaller, so that an attempt stays short."""
    return LIMITS if options.create_profiles else LOOKED_UP


KLAVIYO = Destination(
    name="klaviyo",
    documentation="https://developers.klaviyo.com/en/reference/api_overview",
    settings=KlaviyoSettings,
    objects={
        "audience_members": Object(
            frozenset(["mirror"]), MemberOptions, Members.open, sizes=read_sizes
        ),
        "profiles": Object(frozenset(["upsert"]), ProfileOptions, Profiles.open),
    },
    check=check,
)
