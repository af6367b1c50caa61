"""Amplitude's cohorts: one for each audience, found by its name, made if there is none.

The membership endpoint says who was skipped, so an addition goes through it even when the cohort
was just made; it is made with the ids of the first batch, because an empty one, or one of people
whom Amplitude does not know, cannot be made. Who is skipped on addition is refused, `unknown to
Amplitude`: `cio sync retry` plans them again. Who is skipped on removal is not in the cohort.

One request at a time: Amplitude answers 429 when one cohort is changed twice at once.

https://amplitude.com/docs/apis/analytics/behavioral-cohorts
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Check, Limits, Stop, Taken
from reverse_etl.destinations.amplitude_cohort_api import CohortApi
from reverse_etl.destinations.amplitude_rules import check_person
from reverse_etl.destinations.payloads import check_label
from reverse_etl.destinations.replies import UNDOCUMENTED, failed
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.destinations.amplitude_settings import AmplitudeSettings
    from reverse_etl.http import Http

# 100,000 ids a request; a size is not documented
LIMITS = Limits(100_000, 5_000_000, 2_048, connections=1, separator=b",")


@dataclass(frozen=True)
class CohortOptions:
    """Options of audience members: whether others in the project find the cohorts."""

    published: bool = True


@dataclass(frozen=True)
class Cohorts:
    """A channel that keeps one cohort for each label.

    Attributes:
        api: The cohorts of the project.
        options: The sync's.
        limits: What one request may carry.
        known: Ids of cohorts by name, as far as they were needed.
        turn: Held during a request.
    """

    api: CohortApi
    options: CohortOptions
    limits: Limits = LIMITS
    known: dict[str, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: AmplitudeSettings, options: CohortOptions, http: Http) -> Cohorts:
        """Open the channel; nothing is asked yet."""
        return cls(CohortApi(settings, http), options)

    def route(self, change: Change) -> str:
        """Additions and removals of one cohort go in requests of their own."""
        operation = "REMOVE" if change.operation == "remove" else "ADD"
        return f"{operation} {change.label}"

    def encode(self, change: Change) -> bytes:
        """The person's id."""
        check_person(change)
        check_label(change)
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

    def _find(self, name: str) -> Reply | None:
        """Look a cohort up by its name; says what hindered it."""
        cohorts = self.api.cohorts()
        if not isinstance(cohorts, list):
            return cohorts
        found = [cohort["id"] for cohort in cohorts if cohort.get("name") == name]
        if len(found) > 1:
            return Stop("has several cohorts by the name of an audience: archive all but one")
        self.known.update({name: found[0]} if found else {})
        return None

    def _make(self, name: str, ids: list[str]) -> Reply | None:
        """Make a cohort; says what hindered it."""
        made = self.api.make(name, ids, is_published=self.options.published)
        if not isinstance(made, str):
            return made
        self.known[name] = made
        return None

    def _change(self, cohort: str, operation: str, ids: list[str]) -> Reply:
        skipped = self.api.change(cohort, operation, ids)
        if not isinstance(skipped, set):
            return skipped
        if operation == "REMOVE":
            return Taken()
        return Taken({i: "unknown to Amplitude" for i, each in enumerate(ids) if each in skipped})


def check_cohorts(settings: AmplitudeSettings, http: Http) -> Check:
    """Ask whether cohorts could be made, by an upload that is not saved."""
    name = "customerio-warehouse"
    match CohortApi(settings, http).upload(name, [name], is_published=True, is_dry=True):
        case Answer(status=codes.OK):
            return Check(is_ok=True, message="answers, and takes the keys, app_id and owner")
        case Answer():
            message = "takes the keys and refuses an upload on trial: check app_id and owner"
            return Check(is_ok=False, message=message)
        case reply:
            return failed(reply, "refuses the API key or the secret key")


def read_sizes(
    settings: AmplitudeSettings, _options: CohortOptions, http: Http, _labels: Collection[str]
) -> dict[str, int | None] | str:
    """How many members each cohort has, by its name; or what hindered asking.

    A cohort that Amplitude has not computed yet has no size.
    """
    cohorts = CohortApi(settings, http).cohorts()
    if not isinstance(cohorts, list):
        return str(getattr(cohorts, "reason", UNDOCUMENTED))
    return {
        str(cohort.get("name")): cohort["size"] if type(cohort.get("size")) is int else None
        for cohort in cohorts
    }
