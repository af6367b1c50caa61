"""Which audience of TikTok's a label means: given in the sync, found by its name, or made.

Only audiences made here or through the Segment API can be streamed to; one made of a file cannot.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the options are read by their types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Stop
from reverse_etl.destinations.audience_directory import Directory, Page, Terms
from reverse_etl.destinations.replies import read_object

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.tiktok_api import BusinessApi
    from reverse_etl.http import Answer

AUDIENCES = "dmp/custom_audience/list/"
_PAGE_SIZE = 100
_MOST_NAME = 128
# an advertiser has 400 audiences at most
TERMS = Terms("audience", "add", "delete", "audience_ids", "advertiser_id", most_pages=10)


@dataclass(frozen=True)
class AudienceOptions:
    """Options of audience members.

    Attributes:
        create: Make an audience that is not there, named like its label.
        audience_ids: Ids of audiences by label, where they are there under other names.
    """

    create: bool = True
    audience_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CustomAudiences:
    """The custom audiences of an advertiser."""

    api: BusinessApi

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        """Read a page; they are numbered."""
        number = cursor or "1"
        params = {"advertiser_id": self._advertiser, "page": number, "page_size": str(_PAGE_SIZE)}
        answer = self.api.request("GET", AUDIENCES, params=params)
        rows = _data(answer).get("list")
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and "audience_id" in row for row in rows
        ):
            return answer
        following = None if len(rows) < _PAGE_SIZE else str(int(number) + 1)
        return Page([(str(row.get("name")), str(row["audience_id"])) for row in rows], following)

    def make(self, label: str) -> str | Answer | Reply:
        """Make one."""
        if len(label) > _MOST_NAME:
            return Stop(f"takes names of {_MOST_NAME} letters at most, and a label is longer")
        body = {
            "custom_audience_name": label,
            "advertiser_id": self._advertiser,
            "action": "create",
        }
        answer = self.api.request("POST", "segment/audience/", body)
        made = _data(answer).get("audience_id")
        return made if isinstance(made, str) else answer

    @property
    def _advertiser(self) -> str:
        return self.api.settings.advertiser_id


def open_directory(api: BusinessApi, options: AudienceOptions) -> Directory:
    """The audiences by their labels, as far as they are needed."""
    audiences = CustomAudiences(api)
    return Directory.open(audiences, TERMS, may_make=options.create, ids=options.audience_ids)


def _data(answer: Answer | Reply) -> Mapping[str, Any]:
    data = (read_object(answer) or {}).get("data")
    return data if isinstance(data, dict) else {}
