"""Which audience of TikTok's a label means: given in the sync, found by its name, or made.

Only audiences made here or through the Segment API can be streamed to; one made of a file cannot.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from reverse_etl.contract import Later, Stop, Unnamed
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

_PAGE_SIZE = 100
# an advertiser has 400 audiences at most
_MOST_PAGES = 10
_MOST_NAME = 128
_UNDOCUMENTED = "a list of audiences that is not the documented one"


@dataclass(frozen=True)
class AudienceOptions:
    """Options of audience members.

    Attributes:
        create: Make an audience that is not there, named like its label.
        audience_ids: Ids of audiences by label, where they are there under other names.
    """

    create: bool = True
    audience_ids: Mapping[str, str] = field(default_factory=dict)


class Request(Protocol):
    """One attempt at the Business API."""

    def __call__(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make it."""


@dataclass(frozen=True)
class Lookup:
    """Where an advertiser's audiences are found.

    Attributes:
        request: Makes one attempt.
        options: The sync's options.
        advertiser: The advertiser's number.
        known: Ids by label, as far as they were found.
    """

    request: Request
    options: AudienceOptions
    advertiser: str
    known: dict[str, str]

    def find(self, label: str) -> Reply | None:
        """Look a label's audience up, if it is not known; says what hindered it."""
        if label in self.known:
            return None
        found: list[str] = []
        for page in range(1, _MOST_PAGES + 1):
            params = {"advertiser_id": self.advertiser, "page": str(page)}
            params["page_size"] = str(_PAGE_SIZE)
            answer = self.request("GET", "dmp/custom_audience/list/", params=params)
            rows = _rows(answer)
            if rows is None:
                return _unsent(answer)
            found += [str(row["audience_id"]) for row in rows if row.get("name") == label]
            if len(rows) < _PAGE_SIZE:
                break
        if len(found) > 1:
            return Stop("has several audiences by the name of a label: name one in audience_ids")
        self.known.update({label: found[0]} if found else {})
        return None

    def make(self, label: str) -> Reply | None:
        """Look it up, and make it if there is none and that is allowed; says what hindered it."""
        problem = self.find(label)
        if problem is not None or label in self.known or not self.options.create:
            return problem
        if len(label) > _MOST_NAME:
            return Stop(f"takes names of {_MOST_NAME} letters at most, and a label is longer")
        body = {
            "custom_audience_name": label,
            "advertiser_id": self.advertiser,
            "action": "create",
        }
        answer = self.request("POST", "segment/audience/", body)
        made = _data(answer).get("audience_id")
        if not isinstance(made, str):
            return _unsent(answer)
        self.known[label] = made
        return None


def _data(answer: Answer | Reply) -> Mapping[str, Any]:
    body = answer.json() if isinstance(answer, Answer) else None
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, dict) else {}


def _rows(answer: Answer | Reply) -> list[dict[str, Any]] | None:
    """The audiences of a page, or nothing if it is none."""
    rows = _data(answer).get("list")
    is_list = isinstance(rows, list) and all(
        isinstance(row, dict) and "audience_id" in row for row in rows
    )
    return rows if is_list else None


def _unsent(answer: Answer | Reply) -> Reply:
    """What hindered a request that carried no row."""
    match answer:
        case Answer():
            return Later(_UNDOCUMENTED, is_maybe_accepted=False)
        case Later(reason=reason, wait_seconds=wait):
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        case Unnamed(reason=reason):
            return Stop(f"{reason} when an audience was looked up or made")
        case _:
            return answer
