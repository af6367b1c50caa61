"""The cohorts of the stand-in of Amplitude.

Source: https://amplitude.com/docs/apis/analytics/behavioral-cohorts
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fakes.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from fakes.wire import Store

MAX_IDS = 100_000
_UPLOAD_TYPES = ("BY_AMP_ID", "BY_USER_ID")
_MEMBERSHIP_TYPES = ("BY_ID", "BY_NAME")


@dataclass
class Cohort:
    """One cohort."""

    id: str
    name: str
    ids: dict[str, None] = field(default_factory=dict)
    published: bool = True


@dataclass
class Cohorts:
    """All cohorts of a project.

    Attributes:
        app_id: The project.
        owner: The login of somebody who may own cohorts.
        unknown: User ids that the project has never seen; all others it knows.
        all: The cohorts by id.
    """

    app_id: int
    owner: str
    unknown: Collection[str]
    all: dict[str, Cohort] = field(default_factory=dict)

    def listed(self) -> list[dict[str, Any]]:
        """The cohorts as `GET /api/3/cohorts` lists them."""
        return [
            {
                "appId": self.app_id,
                "archived": False,
                "id": cohort.id,
                "name": cohort.name,
                "owners": [self.owner],
                "published": cohort.published,
                "size": len(cohort.ids),
            }
            for cohort in self.all.values()
        ]

    def upload(self, body: Any, store: Store) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Make a cohort, or replace one."""
        _require(body, name=str, app_id=int, id_type=str, ids=list, owner=str, published=bool)
        _refuse(body["app_id"] != self.app_id, "app_id", "no such project")
        _refuse(body["owner"] != self.owner, "owner", "no such user")
        _refuse(body["id_type"] not in _UPLOAD_TYPES, "id_type", "unknown id_type")
        existing = body.get("existing_cohort_id")
        _refuse(existing is not None and existing not in self.all, "cohort", "no such cohort")
        good, bad = self._sorted(body, body["ids"], is_by_user=body["id_type"] == "BY_USER_ID")
        metadata = {"matched": len(good), "totals": len(body["ids"]), "invalid_ids_sample": bad[:5]}
        if body.get("skip_save"):
            return {"cohortId": "", "metadata": metadata}
        _refuse(not good, "ids", "no valid ids")
        cohort_id = existing or f"cohort{len(self.all) + 1}"
        self.all[cohort_id] = Cohort(cohort_id, body["name"], published=body["published"])
        change = {"cohort_id": cohort_id, "ids": good, "operation": "SET", "name": body["name"]}
        self.keep(**change)
        store.add([change])
        return {"cohortId": cohort_id, "metadata": metadata}

    def change(self, body: Any, store: Store) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Add members, and remove some."""
        _require(body, cohort_id=str, memberships=list)
        _refuse(body["cohort_id"] not in self.all, "cohort_id", "no such cohort")
        changes, results = [], []
        for entry in body["memberships"]:
            _require(entry, ids=list, id_type=str, operation=str)
            _refuse(entry["id_type"] not in _MEMBERSHIP_TYPES, "id_type", "unknown id_type")
            _refuse(entry["operation"] not in {"ADD", "REMOVE"}, "operation", "unknown operation")
            good, bad = self._sorted(body, entry["ids"], is_by_user=entry["id_type"] == "BY_NAME")
            kind = {"id_type": entry["id_type"], "operation": entry["operation"]}
            results.append({"skipped_ids": bad, **kind})
            change = {"cohort_id": body["cohort_id"], "ids": good}
            changes.append(change | {"operation": entry["operation"]})
        for change in changes:
            self.keep(**change)
        store.add(changes)
        return {"cohort_id": body["cohort_id"], "memberships_result": results}

    def keep(self, cohort_id: str, ids: list[str], operation: str, name: str = "") -> None:
        """Apply a change that passed."""
        cohort = self.all.setdefault(cohort_id, Cohort(cohort_id, name))
        if operation == "SET":
            cohort.ids = dict.fromkeys(ids)
        elif operation == "ADD":
            cohort.ids |= dict.fromkeys(ids)
        else:
            gone = set(ids)
            cohort.ids = {each: None for each in cohort.ids if each not in gone}

    def _sorted(
        self, body: dict[str, Any], ids: list[Any], *, is_by_user: bool
    ) -> tuple[list[str], list[str]]:
        """The ids that are known, and the others; nobody is known by an Amplitude id here."""
        _refuse(not ids, "ids", "ids must not be empty")
        _refuse(len(ids) > MAX_IDS, "ids", f"more than {MAX_IDS} ids")
        _refuse(not all(isinstance(each, str) for each in ids), "ids", "ids must be strings")
        bad = [each for each in ids if not is_by_user or each in self.unknown]
        _refuse(bool(bad) and not body.get("skip_invalid_ids", True), "ids", "invalid ids")
        skipped = set(bad)
        return [each for each in ids if each not in skipped], bad


def _require(body: Any, **kinds: type) -> None:  # noqa: ANN401 - any JSON
    _refuse(not isinstance(body, dict), "body", "not a JSON object")
    for name, kind in kinds.items():
        _refuse(type(body.get(name)) is not kind, name, f"{name} is missing or invalid")


def _refuse(is_wrong: bool, kind: str, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if is_wrong:
        error = {"http_code": 400, "type": kind, "message": message, "metadata": {}}
        raise Refusal(400, {"error": error})
