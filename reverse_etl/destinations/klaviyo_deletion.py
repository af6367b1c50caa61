"""Klaviyo, asked to delete people: profiles with all there is of them, for good.

A request names one profile. Receipts name people by the address or the customer id that a sync
used, so profiles are looked up first, by both; who has none is not there to be deleted. Klaviyo
gives a request no name, and tells nobody how far it is: what was deleted is on a page of the
account. Asked twice, it is two requests for the same profile.

https://developers.klaviyo.com/en/reference/request_profile_deletion
"""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Deletion, DeletionTaken, Stop
from reverse_etl.destinations.klaviyo_api import Api
from reverse_etl.destinations.klaviyo_profiles import KEYS
from reverse_etl.destinations.replies import UNREADABLE
from reverse_etl.destinations.settings_rules import absent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.klaviyo_api import KlaviyoSettings
    from reverse_etl.http import Http

_JOBS = "api/data-privacy-deletion-jobs"
# "60/m"
_REQUEST_SECONDS = 1.0


def _ask(
    settings: KlaviyoSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    api = Api(replace(settings, api_key=settings.privacy_key), http)
    profiles: set[str] = set()
    for key in KEYS:
        found = api.find_profiles(key, list(identifiers))
        if not isinstance(found, dict):
            return found
        profiles |= set(found.values())
    for number, profile in enumerate(sorted(profiles)):
        if number:
            http.clock.sleep(_REQUEST_SECONDS, Event())
        problem = _request(api, profile)
        if problem is not None:
            return problem
    if not profiles:
        return DeletionTaken("no profile is there", end="done")
    return DeletionTaken("requested")


def _request(api: Api, profile: str) -> Reply | None:
    """Ask for the deletion of one profile; nothing if it was taken."""
    named = {"data": {"type": "profile", "id": profile, "attributes": {}}}
    body = {"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": named}}}
    answer = api.request("POST", _JOBS, content=orjson.dumps(body))
    if not isinstance(answer, Answer):
        return answer
    if answer.status >= codes.BAD_REQUEST:
        return Stop("refuses to make a deletion job")
    return None if answer.status == codes.ACCEPTED else UNREADABLE


DELETIONS = (
    Deletion(
        covers="everything",
        documentation="https://developers.klaviyo.com/en/reference/request_profile_deletion",
        request=f"POST /{_JOBS}",
        # a look takes 100, and a profile is a request of its own
        limit=50,
        missing=lambda settings: absent(
            privacy_key=settings.privacy_key, account_id=settings.account_id
        ),
        url=lambda settings: str(settings.url),
        ask=_ask,
    ),
)
