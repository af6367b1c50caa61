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

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Destination, Limits, Object, Taken, Unnamed
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.klaviyo_api import Api, KlaviyoSettings, check
from reverse_etl.destinations.klaviyo_deletion import DELETIONS
from reverse_etl.destinations.klaviyo_jobs import NO_PROFILE, ImportJobs
from reverse_etl.destinations.klaviyo_lists import TERMS, open_directory, read_sizes
from reverse_etl.destinations.klaviyo_profiles import (
    LOOKED_UP,
    MOST_MEMBERS,
    ProfileOptions,
    Profiles,
    identify,
    limits_of,
    open_jobs,
)
from reverse_etl.destinations.payloads import check_label
from reverse_etl.destinations.replies import UNREADABLE
from reverse_etl.http import Answer
from reverse_etl.profile_keys import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http


@dataclass(frozen=True)
class MemberOptions(ProfileOptions):
    """Options of audience members, beside those of profiles.

    Attributes:
        create: Make a list that is not there, named like its label.
        list_ids: Ids of lists by label, where they are there under other names.
    """

    create: bool = True
    list_ids: Mapping[str, str] = field(default_factory=dict)


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
        limits = replace(LOOKED_UP, records=limits_of(options).records, removals=MOST_MEMBERS)
        return cls(api, options, directory, open_jobs(api, options), limits)

    def route(self, change: Change) -> str:
        """Additions and removals of one list go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A profile with nothing but what identifies it."""
        check_label(change)
        attributes = identify(self.options.identifier, change)
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
                return UNREADABLE
        if to.operation == TERMS.removes:
            return Taken()
        return Taken(left={i: NO_PROFILE for i, name in enumerate(names) if name not in known})


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
    deletions=DELETIONS,
)
