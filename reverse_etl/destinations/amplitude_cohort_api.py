"""What cohorts need of Amplitude's API: to list, upload and change them.

The kinds of id have other names in the two endpoints: BY_USER_ID on upload, BY_NAME for a user id
in membership.

https://amplitude.com/docs/apis/analytics/behavioral-cohorts
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Unnamed
from reverse_etl.credentials import basic_authorization
from reverse_etl.destinations.replies import UNREADABLE, read_object, unsent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.amplitude_settings import AmplitudeSettings
    from reverse_etl.http import Http


@dataclass(frozen=True)
class CohortApi:
    """The cohorts of one project; what it cannot do is told as a `Reply`."""

    settings: AmplitudeSettings
    http: Http

    def cohorts(self) -> list[dict[str, Any]] | Reply:
        """Every cohort of the project that is not archived: `id`, `name`, `size`."""
        answer = self.http.get("api/3/cohorts", headers=self._headers)
        listed = (read_object(answer) or {}).get("cohorts")
        if not isinstance(listed, list) or not all(map(_is_cohort, listed)):
            return unsent(answer)
        project = self.settings.app_id
        return [
            cohort
            for cohort in listed
            if str(cohort.get("appId", project)) == project and not cohort.get("archived")
        ]

    def make(self, name: str, ids: list[str], *, is_published: bool) -> str | Reply:
        """Make a cohort of people; gives its id."""
        answer = self.upload(name, ids, is_published=is_published, is_dry=False)
        if not isinstance(answer, Answer):
            return answer
        body = read_object(answer) or {}
        if "error" in body:
            return Unnamed("no cohort is made: these ids are unknown, or app_id or owner is wrong")
        made = body.get("cohortId")
        return made if isinstance(made, str) else UNREADABLE

    def upload(
        self, name: str, ids: list[str], *, is_published: bool, is_dry: bool
    ) -> Answer | Reply:
        """Make a cohort, or only see whether it could be made."""
        return self._post(
            "api/3/cohorts/upload",
            {
                "name": name,
                "app_id": int(self.settings.app_id),
                "id_type": "BY_USER_ID",
                "ids": ids,
                "owner": self.settings.owner,
                "published": is_published,
                "skip_save": is_dry,
                "skip_invalid_ids": True,
            },
        )

    def change(self, cohort: str, operation: str, ids: list[str]) -> set[str] | Reply:
        """Add people to a cohort, or remove them; gives the ids that were skipped."""
        membership = {"ids": ids, "id_type": "BY_NAME", "operation": operation}
        answer = self._post(
            "api/3/cohorts/membership",
            {"cohort_id": cohort, "memberships": [membership], "skip_invalid_ids": True},
        )
        if not isinstance(answer, Answer):
            return answer
        body = read_object(answer) or {}
        if "error" in body:
            return Unnamed("refused, and the reply does not say which id")
        skipped = read_skipped(body)
        return UNREADABLE if skipped is None else skipped

    def _post(self, path: str, body: dict[str, Any]) -> Answer | Reply:
        return self.http.post(path, content=orjson.dumps(body), headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        keys = self.settings.api_key.reveal(), self.settings.secret_key.reveal()
        return {"Content-Type": "application/json", "Authorization": basic_authorization(*keys)}


def _is_cohort(listed: object) -> bool:
    return isinstance(listed, dict) and isinstance(listed.get("id"), str)


def read_skipped(body: dict[str, Any]) -> set[str] | None:
    """The ids that one membership operation skipped, or nothing if the reply is another."""
    results = body.get("memberships_result")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        return None
    skipped = results[0].get("skipped_ids") or []
    return set(map(str, skipped)) if isinstance(skipped, list) else None
