"""Amplitude's cohorts: one for each audience, found by its name, made if there is none.

The membership endpoint says who was skipped, so an addition goes through it even when the cohort
was just made; it is made with the ids of the first batch, because an empty one, or one of people
whom Amplitude does not know, cannot be made. Who is skipped on addition is refused, `unknown to
Amplitude`: `cio sync retry` plans them again. Who is skipped on removal is not in the cohort.

One request at a time: Amplitude answers 429 when one cohort is changed twice at once. The kinds of
id have other names in the two endpoints: BY_USER_ID on upload, BY_NAME for a user id in membership.

https://amplitude.com/docs/apis/analytics/behavioral-cohorts
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from httpx import codes

from reverse_etl.contract import Check, Later, Limits, Refused, Stop, Taken, Unnamed
from reverse_etl.destinations.amplitude_rules import check_person
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.credentials import Secret
    from reverse_etl.http import Http

# 100,000 ids a request; a size is not documented
LIMITS = Limits(100_000, 5_000_000, 2_048, connections=1, separator=b",")
_UNDOCUMENTED = "a reply that is not the documented one"


class ProjectSettings(Protocol):
    """What of the destination's settings cohorts need."""

    @property
    def api_key(self) -> Secret:
        """The project's API key."""

    @property
    def secret_key(self) -> Secret:
        """The project's secret key."""

    @property
    def app_id(self) -> str:
        """The project's number."""

    @property
    def owner(self) -> str:
        """The login e-mail of the cohorts' owner."""


@dataclass(frozen=True)
class CohortOptions:
    """Options of audience members: whether others in the project find the cohorts."""

    published: bool = True


@dataclass(frozen=True)
class Cohorts:
    """A channel that keeps one cohort for each label.

    Attributes:
        settings: The destination's settings.
        options: The sync's.
        http: Where requests go.
        limits: What one request may carry.
        known: Ids of cohorts by name, as far as they were needed.
        turn: Held during a request.
    """

    settings: ProjectSettings
    options: CohortOptions
    http: Http
    limits: Limits = LIMITS
    known: dict[str, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: ProjectSettings, options: CohortOptions, http: Http) -> Cohorts:
        """Open the channel; nothing is asked yet."""
        return cls(settings, options, http)

    def route(self, change: Change) -> str:
        """Additions and removals of one cohort go in requests of their own."""
        operation = "REMOVE" if change.operation == "remove" else "ADD"
        return f"{operation} {change.label}"

    def encode(self, change: Change) -> bytes:
        """The person's id."""
        check_person(change)
        if not change.label:
            message = "an audience without a label"
            raise Refused(message)
        return orjson.dumps(change.identifier)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the cohort, make it if need be, then add or remove."""
        operation, _, name = route.partition(" ")
        ids = [orjson.loads(record) for record in records]
        with self.turn:
            problem = None if name in self.known else self._find(name)
            if problem is None and name not in self.known:
                if operation == "REMOVE":
                    return Taken()  # without a cohort nobody is in it
                problem = self._make(name, ids)
            return problem or self._change(self.known[name], operation, ids)

    def sizes(self) -> dict[str, int | None] | str:
        """The members of each cohort by its name; says what hindered it.

        A cohort that Amplitude has not computed yet has no size.
        """
        answer = self.http.get("api/3/cohorts", headers=self._headers)
        body: Any = answer.json() if isinstance(answer, Answer) else None
        if not _has_cohorts(body):
            return str(getattr(answer, "reason", _UNDOCUMENTED))
        return {
            str(cohort.get("name")): cohort["size"] if type(cohort.get("size")) is int else None
            for cohort in body["cohorts"]
            if self._is_ours(cohort)
        }

    def _is_ours(self, cohort: dict[str, Any]) -> bool:
        is_of_project = str(cohort.get("appId", self.settings.app_id)) == self.settings.app_id
        return is_of_project and not cohort.get("archived")

    def _find(self, name: str) -> Reply | None:
        """Look a cohort up by its name; says what hindered it."""
        answer = self.http.get("api/3/cohorts", headers=self._headers)
        body: Any = answer.json() if isinstance(answer, Answer) else None
        if isinstance(answer, Later) or (isinstance(answer, Answer) and not _has_cohorts(body)):
            # no row was in this request
            reason = answer.reason if isinstance(answer, Later) else _UNDOCUMENTED
            wait = answer.wait_seconds if isinstance(answer, Later) else None
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        if not isinstance(answer, Answer):
            return answer
        found = [
            cohort["id"]
            for cohort in body["cohorts"]
            if cohort.get("name") == name and self._is_ours(cohort)
        ]
        if len(found) > 1:
            return Stop("has several cohorts by the name of an audience: archive all but one")
        self.known.update({name: found[0]} if found else {})
        return None

    def _make(self, name: str, ids: list[str]) -> Reply | None:
        """Make a cohort; says what hindered it."""
        answer = self._upload(name, ids, is_dry=False)
        if not isinstance(answer, Answer):
            return answer
        body = answer.json()
        if isinstance(body, dict) and "error" in body:
            return Unnamed("no cohort is made: these ids are unknown, or app_id or owner is wrong")
        if not isinstance(body, dict) or not isinstance(body.get("cohortId"), str):
            return Later(_UNDOCUMENTED, is_maybe_accepted=True)
        self.known[name] = body["cohortId"]
        return None

    def _upload(self, name: str, ids: list[str], *, is_dry: bool) -> Answer | Reply:
        return self._post(
            "api/3/cohorts/upload",
            {
                "name": name,
                "app_id": int(self.settings.app_id),
                "id_type": "BY_USER_ID",
                "ids": ids,
                "owner": self.settings.owner,
                "published": self.options.published,
                "skip_save": is_dry,
                "skip_invalid_ids": True,
            },
        )

    def _change(self, cohort: str, operation: str, ids: list[str]) -> Reply:
        membership = {"ids": ids, "id_type": "BY_NAME", "operation": operation}
        answer = self._post(
            "api/3/cohorts/membership",
            {"cohort_id": cohort, "memberships": [membership], "skip_invalid_ids": True},
        )
        if not isinstance(answer, Answer):
            return answer
        body = answer.json()
        if isinstance(body, dict) and "error" in body:
            return Unnamed("refused, and the reply does not say which id")
        skipped = _skipped(body)
        if skipped is None:
            return Later(_UNDOCUMENTED, is_maybe_accepted=True)
        if operation == "REMOVE":
            return Taken()
        return Taken({i: "unknown to Amplitude" for i, each in enumerate(ids) if each in skipped})

    def _post(self, path: str, body: dict[str, Any]) -> Answer | Reply:
        return self.http.post(path, content=orjson.dumps(body), headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        pair = f"{self.settings.api_key.reveal()}:{self.settings.secret_key.reveal()}"
        encoded = base64.b64encode(pair.encode()).decode()
        return {"Content-Type": "application/json", "Authorization": f"Basic {encoded}"}

    def check(self) -> Check:
        """Validate an upload that is not saved."""
        match self._upload("customerio-warehouse", ["customerio-warehouse"], is_dry=True):
            case Answer(status=codes.OK):
                return Check(is_ok=True, message="answers, and takes the keys, app_id and owner")
            case Answer():
                message = "takes the keys and refuses an upload on trial: check app_id and owner"
                return Check(is_ok=False, message=message)
            case Later(reason=reason) | Stop(reason=reason):
                return Check(is_ok=False, message=reason)
            case _:
                return Check(is_ok=False, message="refuses the API key or the secret key")


def check_cohorts(settings: ProjectSettings, http: Http) -> Check:
    """Ask whether cohorts could be made; none is."""
    return Cohorts.open(settings, CohortOptions(), http).check()


def read_sizes(
    settings: ProjectSettings, options: CohortOptions, http: Http, _labels: Collection[str]
) -> dict[str, int | None] | str:
    """How many members each cohort has, by its name; or what hindered asking."""
    return Cohorts.open(settings, options, http).sizes()


def _has_cohorts(body: Any) -> bool:  # noqa: ANN401 - any JSON
    cohorts = body.get("cohorts") if isinstance(body, dict) else None
    return isinstance(cohorts, list) and all(
        isinstance(cohort, dict) and isinstance(cohort.get("id"), str) for cohort in cohorts
    )


def _skipped(body: Any) -> set[str] | None:  # noqa: ANN401 - any JSON
    """The ids that one membership operation skipped, or nothing if the reply is another."""
    results = body.get("memberships_result") if isinstance(body, dict) else None
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        return None
    skipped = results[0].get("skipped_ids") or []
    return set(map(str, skipped)) if isinstance(skipped, list) else None
