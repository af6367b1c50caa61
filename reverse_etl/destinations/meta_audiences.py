"""Which custom audience a label means: given in the sync, found by its name, or made.

https://developers.facebook.com/docs/marketing-api/reference/ad-account/customaudiences
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson

from reverse_etl.destinations.audience_directory import DESCRIPTION, Directory, Page, Terms
from reverse_etl.destinations.settings_rules import require_one_of
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.meta_api import Graph

SOURCES = ("USER_PROVIDED_ONLY", "PARTNER_PROVIDED_ONLY", "BOTH_USER_AND_PARTNER_PROVIDED")
_FIELDS = {"fields": "id,name", "limit": "200"}
TERMS = Terms("custom audience", "POST", "DELETE", "audience_ids", "ad_account_id", most_pages=50)


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
        require_one_of("meta", "customer_file_source", self.customer_file_source, SOURCES)
        if not 1 <= self.removals_per_request <= 10_000:  # noqa: PLR2004 - Meta's limit
            message = "meta: removals_per_request must be from 1 to 10000"
            raise UsageError(message)


@dataclass(frozen=True)
class CustomAudiences:
    """The custom audiences of an ad account."""

    graph: Graph
    customer_file_source: str

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        """Read a page."""
        after = {} if cursor is None else {"after": cursor}
        answer = self.graph.request("GET", self._path, params=_FIELDS | after)
        body = answer.json() if isinstance(answer, Answer) else None
        rows = body.get("data") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
            return answer
        paging = body.get("paging") or {} if isinstance(body, dict) else {}
        cursors = paging.get("cursors") or {}
        following = cursors.get("after") if paging.get("next") else None
        return Page([(str(row.get("name")), str(row["id"])) for row in rows], following)

    def make(self, label: str) -> str | Answer | Reply:
        """Make one."""
        body = {
            "name": label,
            "subtype": "CUSTOM",
            "customer_file_source": self.customer_file_source,
            "description": DESCRIPTION,
        }
        answer = self.graph.request("POST", self._path, content=orjson.dumps(body))
        made = answer.json() if isinstance(answer, Answer) else None
        found = made.get("id") if isinstance(made, dict) else None
        return found if isinstance(found, str) else answer

    @property
    def _path(self) -> str:
        return f"act_{self.graph.settings.ad_account_id}/customaudiences"


def open_directory(graph: Graph, options: AudienceOptions) -> Directory:
    """The audiences by their labels, as far as they are needed."""
    audiences = CustomAudiences(graph, options.customer_file_source)
    return Directory.open(audiences, TERMS, may_make=options.create, ids=options.audience_ids)
