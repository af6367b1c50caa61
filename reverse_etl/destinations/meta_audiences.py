"""Which custom audience a label means: given in the sync, found by its name, or made.

https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from reverse_etl.contract import Denied, Later, Stop, Unnamed
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")
_FIELDS = {"fields": "id,name", "limit": "200"}
_MOST_PAGES = 50
_UNDOCUMENTED = "a list of audiences that is not the documented one"


@dataclass(frozen=True)
class AudienceOptions:
    """Options of audience members.

    Attributes:
        create: Make an audience that is not there, named like its label.
        audience_ids: Ids of audiences by label, where they are there under other names.
        customer_file_source: Where the people are from, as Meta wants to know when one is made.
        removals_per_request: Fewer than 10,000, because nobody says how large the body of a DELETE
            may be; others report 60 KB.
    """

    create: bool = True
    audience_ids: Mapping[str, str] = field(default_factory=dict)
    customer_file_source: str = "USER_PROVIDED_ONLY"
    removals_per_request: int = 100

    def __post_init__(self) -> None:
        """Refuse what Meta would."""
        if self.customer_file_source not in SOURCES:
            message = f"meta: customer_file_source must be one of {', '.join(SOURCES)}"
            raise UsageError(message)
        if not 1 <= self.removals_per_request <= 10_000:  # noqa: PLR2004 - Meta's limit
            message = "meta: removals_per_request must be from 1 to 10000"
            raise UsageError(message)


class Request(Protocol):
    """One attempt at the Graph API."""

    def __call__(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make it."""


@dataclass(frozen=True)
class Lookup:
    """Where an ad account's custom audiences are found.

    Attributes:
        request: Makes one attempt.
        options: The sync's options.
        account: The ad account's number.
        known: Ids by label, as far as they were found.
    """

    request: Request
    options: AudienceOptions
    account: str
    known: dict[str, str]

    def find(self, label: str) -> Reply | None:
        """Look a label's audience up, if it is not known; says what hindered it."""
        if label in self.known:
            return None
        found: list[str] = []
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            answer = self.request("GET", self._path, params=_FIELDS | after)
            page = _page(answer)
            if page is None:
                return _unsent(answer)
            rows, cursor = page
            found += [str(row["id"]) for row in rows if row.get("name") == label]
            if cursor is None:
                break
            after = {"after": cursor}
        if len(found) > 1:
            return Stop("has several audiences by the name of a label: name one in audience_ids")
        self.known.update({label: found[0]} if found else {})
        return None

    def make(self, label: str) -> Reply | None:
        """Look it up, and make it if there is none and that is allowed; says what hindered it."""
        problem = self.find(label)
        if problem is not None or label in self.known or not self.options.create:
            return problem
        body = {
            "name": label,
            "subtype": "CUSTOM",
            "customer_file_source": self.options.customer_file_source,
            "description": "Kept by customerio-warehouse",
        }
        answer = self.request("POST", self._path, content=orjson.dumps(body))
        made = answer.json() if isinstance(answer, Answer) else None
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            return _unsent(answer)
        self.known[label] = made["id"]
        return None

    @property
    def _path(self) -> str:
        return f"act_{self.account}/customaudiences"


def _page(answer: Answer | Reply) -> tuple[list[dict[str, Any]], str | None] | None:
    """The rows of a page and the cursor of the next; nothing if it is none."""
    body = answer.json() if isinstance(answer, Answer) else None
    rows = body.get("data") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
        return None
    paging = body.get("paging") or {} if isinstance(body, dict) else {}
    cursors = paging.get("cursors") or {}
    return rows, cursors.get("after") if paging.get("next") else None


def _unsent(answer: Answer | Reply) -> Reply:
    """What hindered a request that carried no row."""
    match answer:
        case Answer():
            return Later(_UNDOCUMENTED, is_maybe_accepted=False)
        case Later(reason=reason, wait_seconds=wait):
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        case Unnamed(reason=reason):
            return Stop(f"{reason} when an audience was looked up or made")
        case Denied() | Stop():
            return answer
        case _:
            return Stop("refuses to look up or make an audience")
