"""Mixpanel: message events through `/import`, membership and properties of people's profiles.

There is no API that uploads the members of a cohort, so membership is a list property of the
profile (`cio_audiences` by default), and a cohort in Mixpanel is one condition on it:
"cio_audiences contains CIO | …". `$union` makes the profile of a person Mixpanel did not know, and
so does `$set`, which writes properties.

https://docs.mixpanel.com/reference/import-events
https://docs.mixpanel.com/reference/profile-batch-update
https://docs.mixpanel.com/reference/profile-set
https://docs.mixpanel.com/reference/event-deduplication
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Check, Destination, Limits, NoOptions, Object, Taken, Unnamed
from reverse_etl.destinations.mixpanel_deletion import DELETIONS
from reverse_etl.destinations.mixpanel_lookup import LookupOptions, LookupTable
from reverse_etl.destinations.mixpanel_profiles import (
    PROFILE_LIMITS,
    engage,
    write_member,
    write_profile,
)
from reverse_etl.destinations.mixpanel_replies import read_reply
from reverse_etl.destinations.mixpanel_rules import FUTURE_MS, check_event, read_properties
from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
from reverse_etl.destinations.payloads import with_own
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import failed

if TYPE_CHECKING:
    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# 2 GB a minute, about 30,000 events a second. 10 MB a request by the text, but the reference's
# own 413 says "exceeds max limit of 2097152 bytes".
EVENT_LIMITS = Limits(2_000, 2_097_152, 1_048_575, records_per_second=30_000, connections=4)


@dataclass(frozen=True)
class MembershipOptions:
    """Options of audience members: the profile property that lists a person's audiences."""

    property: str = "cio_audiences"


def _write_event(latest_ms: int, change: Change) -> bytes:
    check_event(change, latest_ms=latest_ms)
    own = {
        "time": change.occurred_ms,
        "distinct_id": change.identifier,
        "$insert_id": change.record_key,
        "ip": "0",
    }
    properties = with_own(change, read_properties(change), own)
    return b'{"event":%b,"properties":%b}' % (orjson.dumps(change.label), properties)


def _open_events(settings: MixpanelSettings, _options: NoOptions, http: Http) -> Posted:
    # what is not too far ahead now will not be later either, so the clock is asked only once
    write = partial(_write_event, milliseconds(http.clock.now()) + FUTURE_MS)
    return Posted("import", EVENT_LIMITS, write, partial(_import, settings, http))


def _open_members(settings: MixpanelSettings, options: MembershipOptions, http: Http) -> Posted:
    write = partial(write_member, settings.project_token.reveal(), options.property)
    return Posted("engage", PROFILE_LIMITS, write, partial(engage, http))


def _open_properties(settings: MixpanelSettings, _options: NoOptions, http: Http) -> Posted:
    write = partial(write_profile, settings.project_token.reveal())
    return Posted("engage", PROFILE_LIMITS, write, partial(engage, http))


def _import(settings: MixpanelSettings, http: Http, path: str, content: bytes, count: int) -> Reply:
    """Send events, and read the reply."""
    headers = {
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Authorization": settings.authorization,
    }
    params = {"strict": "1"} | ({"project_id": settings.project_id} if settings.project_id else {})
    packed = gzip.compress(content, 1, mtime=0)
    return read_reply(http.post(path, content=packed, headers=headers, params=params), count)


def _check(settings: MixpanelSettings, http: Http) -> Check:
    """Send one event that Mixpanel must refuse: the refusal shows that the credentials are good."""
    record = b'{"event":"","properties":{"time":0,"distinct_id":"","$insert_id":""}}'
    match _import(settings, http, "import", record, 1):
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the credentials")
        case reply:
            return failed(reply, "refuses the credentials")


def _check_lookup(settings: MixpanelSettings, http: Http) -> Check:
    """Try the credentials where they are tried for events too, below the region's address."""
    return _check(settings, http.at(settings.url))


MIXPANEL = Destination(
    name="mixpanel",
    documentation="https://docs.mixpanel.com/reference/overview",
    settings=MixpanelSettings,
    objects={
        # sent again with the same time, distinct_id and $insert_id, an event is still one event
        "message_events": Object(frozenset(["append"]), NoOptions, _open_events),
        "audience_members": Object(
            frozenset(["mirror", "upsert"]), MembershipOptions, _open_members
        ),
        # there is nothing to take away: what a profile had before is not known
        "person_properties": Object(frozenset(["upsert"]), NoOptions, _open_properties),
        "campaign_lookup": Object(
            frozenset(["upsert"]),
            LookupOptions,
            LookupTable.open,
            # another table is another place, to be filled anew
            url=lambda settings: (
                f"{settings.url.rstrip('/')}/lookup-tables/{settings.lookup_table_id}"
            ),
            check=_check_lookup,
            is_about_people=False,
        ),
    },
    check=_check,
    deletions=DELETIONS,
)
