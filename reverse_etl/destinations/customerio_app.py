"""What segments need of Customer.io's App API: to list, make, count and read them.

Ten requests a second, in one bucket with everybody else of the workspace; whoever comes late is
told how long to wait. https://docs.customer.io/integrations/api/app/
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from reverse_etl.contract import Check, Later, Stop
from reverse_etl.destinations.replies import UNDOCUMENTED, read_object, unsent
from reverse_etl.http import Answer
from reverse_etl.profile_keys import folded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from reverse_etl.contract import Reply
    from reverse_etl.credentials import Secret
    from reverse_etl.destinations.customerio_settings import CustomerioSettings
    from reverse_etl.http import Http

MAX_MEMBERS = 30_000
_TRIES = 6
_WAIT_SECONDS = 1.0
_UNREADABLE = Later(f"gave {UNDOCUMENTED}", is_maybe_accepted=False)


@dataclass(frozen=True)
class AppApi:
    """The App API of one workspace; what it cannot do is told as a `Reply`."""

    key: Secret
    http: Http

    @classmethod
    def open(cls, settings: CustomerioSettings, http: Http) -> AppApi:
        """The App API of the workspace whose Track API `http` talks to; nothing is asked yet."""
        return cls(settings.app_api_key, http.at(settings.app_url))

    def check(self) -> Check:
        """Ask for segments; nothing is made."""
        match self.segments():
            case list():
                return Check(is_ok=True, message="both APIs answer, and take their keys")
            case Later(reason=reason) | Stop(reason=reason):
                return Check(is_ok=False, message=f"the App API {reason}")
            case _:
                return Check(is_ok=False, message="the App API refuses app_api_key")

    def segments(self) -> list[dict[str, Any]] | Reply:
        """Every segment that is not archived: `id`, `name`, `type`."""
        found: list[dict[str, Any]] = []
        for page in self._pages("v1/segments", {}):
            if not isinstance(page, dict):
                return page
            listed = page.get("segments")
            if not _are_segments(listed):
                return _UNREADABLE
            found += listed or []
        return found

    def make_segment(self, name: str) -> str | Reply:
        """Make a manual segment; gives its id."""
        description = "Kept by customerio-warehouse: members are added and removed by its syncs."
        content = orjson.dumps({"segment": {"name": name, "description": description}})
        answer = self.http.post("v1/segments", content=content, headers=self._headers)
        made = (read_object(answer) or {}).get("segment")
        if not isinstance(made, dict) or "id" not in made:
            # whether it was made is seen when segments are listed again
            return _unsent(answer)
        return str(made["id"])

    def count(self, segment: str) -> int | Reply:
        """How many people are in a segment."""
        body = self._get(f"v1/segments/{segment}/customer_count", {})
        if not isinstance(body, dict):
            return body
        count = body.get("count")
        return count if type(count) is int else _UNREADABLE

    def members(self, segment: str, kind: str, wanted: Collection[str]) -> set[str] | Reply:
        """Which of the identifiers are in a segment; addresses in small letters.

        Args:
            segment: Its id.
            kind: `id`, `email` or `cio_id`.
            wanted: The identifiers; no others are kept in memory.
        """
        found: set[str] = set()
        path = f"v1/segments/{segment}/membership"
        for page in self._pages(path, {"limit": str(MAX_MEMBERS)}):
            if not isinstance(page, dict):
                return page
            people = page.get("identifiers") or []
            if not isinstance(people, list) or not all(isinstance(each, dict) for each in people):
                return _UNREADABLE
            names = (folded(kind, each.get(kind) or "") for each in people)
            found.update(name for name in names if name in wanted)
        return found

    def _pages(self, path: str, params: dict[str, str]) -> Iterator[dict[str, Any] | Reply]:
        """Pages until one has no next; an empty page may have one."""
        start = ""
        while True:
            page = self._get(path, params | ({"start": start} if start else {}))
            yield page
            following = page.get("next") if isinstance(page, dict) else None
            if not isinstance(following, str) or not following or following == start:
                return
            start = following

    def _get(self, path: str, params: dict[str, str]) -> dict[str, Any] | Reply:
        """Read something, patiently: what is read here is no row, and losing it costs rows."""
        # an unencoded `+` or `@` is answered with an empty result
        query = "&".join(f"{key}={quote(value, safe='')}" for key, value in params.items())
        address = f"{path}?{query}" if query else path
        for number in range(1, _TRIES + 1):
            answer = self.http.get(address, headers=self._headers)
            if not isinstance(answer, Later) or number == _TRIES:
                break
            wait = _WAIT_SECONDS if answer.wait_seconds is None else answer.wait_seconds
            self.http.clock.sleep(wait, Event())
        body = read_object(answer)
        return _unsent(answer) if body is None else body

    @property
    def _headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.key.reveal()}",
        }


def _unsent(answer: Answer | Reply) -> Reply:
    """What hindered a request, none of which carries a row."""
    return _UNREADABLE if isinstance(answer, Answer) else unsent(answer)


def _are_segments(listed: object) -> bool:
    return listed is None or (
        isinstance(listed, list)
        and all(isinstance(each, dict) and {"id", "name", "type"} <= each.keys() for each in listed)
    )
