"""Klaviyo's lists: read and made, so that a label finds its own.

https://developers.klaviyo.com/en/reference/get_lists
https://developers.klaviyo.com/en/reference/create_list
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.destinations.audience_directory import Directory, Page, Terms
from reverse_etl.destinations.klaviyo_api import next_page, read_cursor, read_one, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.klaviyo_api import Api
    from reverse_etl.http import Answer

# "a maximum of 10 results per page"
TERMS = Terms("list", "add", "remove", "list_ids", "account_id", most_pages=100)


@dataclass(frozen=True)
class Lists:
    """The lists of an account."""

    api: Api

    def page(self, cursor: str | None) -> Page | Answer | Reply:
        """Read a page."""
        params = {"fields[list]": "name", "page[size]": "10"} | next_page(cursor)
        answer = self.api.request("GET", "api/lists", params=params)
        rows = read_rows(answer)
        if rows is None:
            return answer
        named = [(str(row["attributes"].get("name")), str(row["id"])) for row in rows]
        return Page(named, read_cursor(answer))

    def make(self, label: str) -> str | Answer | Reply:
        """Make one; 150 can be made a day."""
        body = {"data": {"type": "list", "attributes": {"name": label}}}
        answer = self.api.request("POST", "api/lists", content=orjson.dumps(body))
        made = read_one(answer)
        return answer if made is None else str(made["id"])


def open_directory(api: Api, *, may_make: bool, ids: Mapping[str, str]) -> Directory:
    """The lists by their labels, as far as they are needed."""
    return Directory.open(Lists(api), TERMS, may_make=may_make, ids=ids)
