"""Segment, asked to delete people: a regulation of the workspace, which its destinations get too.

`SUPPRESS_WITH_DELETE` deletes what there is of a user id, keeps new data of it out, and is passed
on to connected destinations that can delete. Asked twice, it is two regulations of the same.

https://docs.segmentapis.com/tag/Deletion-and-Suppression
https://segment.com/docs/privacy/user-deletion-and-suppression/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Deletion, DeletionTaken, Stop
from reverse_etl.destinations.replies import UNREADABLE, read_object, unsent
from reverse_etl.destinations.settings_rules import absent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import DeletionEnd, Reply
    from reverse_etl.destinations.segment_settings import SegmentSettings
    from reverse_etl.http import Http

_REGULATIONS = "regulations"
# of INITIALIZED, RUNNING, FINISHED, PARTIAL_SUCCESS, FAILED, INVALID and NOT_SUPPORTED
_ENDS: dict[str, DeletionEnd] = {
    "FINISHED": "done",
    "PARTIAL_SUCCESS": "failed",
    "FAILED": "failed",
    "INVALID": "failed",
    "NOT_SUPPORTED": "failed",
}


def _ask(
    settings: SegmentSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    body = {
        "regulationType": "SUPPRESS_WITH_DELETE",
        "subjectType": "USER_ID",
        "subjectIds": list(identifiers),
    }
    answer = http.post(
        _REGULATIONS,
        content=orjson.dumps(body),
        headers=_headers(settings),
    )
    if not isinstance(answer, Answer):
        return answer
    if answer.status >= codes.BAD_REQUEST:
        return Stop("refuses to make a regulation")
    found = (read_object(answer) or {}).get("data")
    name = found.get("regulateId") if isinstance(found, dict) else None
    # how far it is, the reply does not say: a regulation just made is INITIALIZED
    return DeletionTaken("INITIALIZED", str(name)) if name else UNREADABLE


def _follow(settings: SegmentSettings, http: Http, regulation: str) -> DeletionTaken | Reply:
    answer = http.get(f"{_REGULATIONS}/{regulation}", headers=_headers(settings))
    if not isinstance(answer, Answer):
        return unsent(answer)
    if answer.status >= codes.BAD_REQUEST:
        return Stop("does not tell of the regulation")
    data = (read_object(answer) or {}).get("data")
    found = data.get("regulation") if isinstance(data, dict) else None
    state = found.get("overallStatus") if isinstance(found, dict) else None
    if not isinstance(state, str):
        return unsent(answer)
    return DeletionTaken(state, regulation, _ENDS.get(state))


def _headers(settings: SegmentSettings) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {settings.public_api_token.reveal()}",
    }


DELETIONS = (
    Deletion(
        covers="everything",
        documentation="https://segment.com/docs/privacy/user-deletion-and-suppression/",
        request=f"POST /{_REGULATIONS} (SUPPRESS_WITH_DELETE)",
        limit=5_000,
        missing=lambda settings: absent(public_api_token=settings.public_api_token),
        url=lambda settings: str(settings.public_api_url),
        ask=_ask,
        follow=_follow,
    ),
)
