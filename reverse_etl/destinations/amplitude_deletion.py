"""Amplitude, asked to delete people: a job is made for the project, and run within weeks.

Version 1 of the User Privacy API, which deletes in the project whose keys ask. Version 2 always
deletes in the whole organisation, wherever else these ids mean somebody. Amplitude mails the
account's admins about every request. Ids that it does not know are passed over.

https://amplitude.com/docs/apis/analytics/user-privacy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Deletion, DeletionTaken, Stop
from reverse_etl.credentials import basic_authorization
from reverse_etl.destinations.replies import UNREADABLE, unsent
from reverse_etl.destinations.settings_rules import absent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.amplitude_settings import AmplitudeSettings
    from reverse_etl.http import Http

_JOBS = "api/2/deletions/users"
_JOB_OF = "job of "
_REQUESTER = "customerio-warehouse"


def _ask(
    settings: AmplitudeSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    body = {
        "user_ids": list(identifiers),
        "requester": settings.owner or _REQUESTER,
        # texts, as the reference's example has them
        "ignore_invalid_id": "true",
        "delete_from_org": "false",
    }
    answer = http.post(
        _JOBS,
        content=orjson.dumps(body),
        headers=_headers(settings),
    )
    if not isinstance(answer, Answer):
        return answer
    if answer.status >= codes.BAD_REQUEST:
        return Stop("refuses to make a deletion job")
    found = answer.json()
    job = found[0] if isinstance(found, list) and found else found
    if not isinstance(job, dict) or not job.get("day"):
        return UNREADABLE
    return _told(job)


def _follow(settings: AmplitudeSettings, http: Http, job_id: str) -> DeletionTaken | Reply:
    day = job_id.removeprefix(_JOB_OF)
    answer = http.get(_JOBS, headers=_headers(settings), params={"start_day": day, "end_day": day})
    if not isinstance(answer, Answer):
        return unsent(answer)
    found = answer.json()
    if not isinstance(found, list):
        return unsent(answer)
    jobs = [job for job in found if isinstance(job, dict) and job.get("day") == day]
    return _told(jobs[0]) if jobs else Stop(f"knows of no deletion job of {day}")


def _headers(settings: AmplitudeSettings) -> dict[str, str]:
    keys = (settings.api_key.reveal(), settings.secret_key.reveal())
    return {"Content-Type": "application/json", "Authorization": basic_authorization(*keys)}


def _told(job: dict[str, Any]) -> DeletionTaken:
    """What is said of a job: it has no id, and is known by the day it runs on."""
    state = str(job.get("status", "staging")).lower()
    return DeletionTaken(state, f"{_JOB_OF}{job['day']}", "done" if state == "done" else None)


DELETIONS = (
    Deletion(
        covers="everything",
        documentation="https://amplitude.com/docs/apis/analytics/user-privacy",
        request=f"POST /{_JOBS}",
        limit=100,
        missing=lambda settings: absent(api_key=settings.api_key, secret_key=settings.secret_key),
        url=lambda settings: str(settings.cohorts_url),
        ask=_ask,
        follow=_follow,
    ),
)
