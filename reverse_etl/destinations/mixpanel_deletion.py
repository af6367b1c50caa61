"""Mixpanel, asked to delete people: their profile at once, all there is of them within a month.

`$delete` needs the project's token alone, and leaves events where they are. The deletion task takes
events and profile, and is asked for with a person's OAuth token. Asked twice, it is two tasks that
delete the same.

https://docs.mixpanel.com/reference/profile-delete
https://docs.mixpanel.com/reference/gdpr-api
https://docs.mixpanel.com/reference/get-deletion
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Deletion, DeletionTaken, Stop, Taken
from reverse_etl.destinations.mixpanel_profiles import engage
from reverse_etl.destinations.replies import UNREADABLE, read_object, unsent
from reverse_etl.destinations.settings_rules import absent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import DeletionEnd, Reply
    from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
    from reverse_etl.http import Http

_TASKS = "api/app/data-deletions/v3.0/"
# of PENDING, STAGING, STARTED, SUCCESS, FAILURE, REVOKED, NOT_FOUND and UNKNOWN
_ENDS: dict[str, DeletionEnd] = {
    "SUCCESS": "done",
    "FAILURE": "failed",
    "REVOKED": "failed",
    "NOT_FOUND": "failed",
}


def _delete_profiles(
    settings: MixpanelSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    token = settings.project_token.reveal()
    # an alias is followed to whose it is otherwise, and that is somebody we did not name
    records = [
        {"$token": token, "$distinct_id": each, "$delete": "", "$ignore_alias": True}
        for each in identifiers
    ]
    reply = engage(http, "engage", orjson.dumps(records), len(records))
    return DeletionTaken("deleted", end="done") if reply == Taken() else reply


def _ask(
    settings: MixpanelSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    answer = http.post(
        _TASKS,
        content=orjson.dumps({"distinct_ids": list(identifiers), "compliance_type": "GDPR"}),
        headers=_headers(settings),
        params={"token": settings.project_token.reveal()},
    )
    if not isinstance(answer, Answer):
        return answer
    task = _task(answer)
    return Stop("refuses to make a deletion task") if task is None else _told(task)


def _follow(settings: MixpanelSettings, http: Http, task_id: str) -> DeletionTaken | Reply:
    answer = http.get(
        f"{_TASKS}{task_id}",
        headers=_headers(settings),
        params={"token": settings.project_token.reveal()},
    )
    if not isinstance(answer, Answer):
        return unsent(answer)
    task = _task(answer)
    return Stop("does not tell of the deletion task") if task is None else _told(task)


def _headers(settings: MixpanelSettings) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {settings.gdpr_token.reveal()}",
    }


def _task(answer: Answer) -> dict[str, Any] | None:
    """The task of a reply, empty where it has none; nothing if the reply is an error."""
    body = read_object(answer) or {}
    if body.get("status") == "error":
        return None
    results = body.get("results")
    task = results[0] if isinstance(results, list) and results else results
    return task if isinstance(task, dict) else {}


def _told(task: dict[str, Any]) -> DeletionTaken | Reply:
    # the reference's example of a task just made has a tracking_id, its text speaks of a task ID
    name = task.get("tracking_id") or task.get("task_id")
    if not name:
        return UNREADABLE
    state = str(task.get("status", "PENDING"))
    return DeletionTaken(state, str(name), _ENDS.get(state))


DELETIONS = (
    Deletion(
        covers="profile",
        documentation="https://docs.mixpanel.com/reference/profile-delete",
        request="POST /engage ($delete)",
        limit=2_000,
        missing=lambda settings: absent(project_token=settings.project_token),
        url=lambda settings: str(settings.url),
        ask=_delete_profiles,
    ),
    Deletion(
        covers="everything",
        documentation="https://docs.mixpanel.com/reference/gdpr-api",
        request=f"POST /{_TASKS}",
        # "up to 1999 distinct IDs", and one request a second
        limit=1_999,
        missing=lambda settings: absent(
            project_token=settings.project_token, gdpr_token=settings.gdpr_token
        ),
        url=lambda settings: str(settings.app_url),
        ask=_ask,
        follow=_follow,
    ),
)
