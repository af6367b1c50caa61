"""Klaviyo's lists: read and made, so that a label finds its own.

https://developers.klaviyo.com/en/reference/get_lists
https://developers.klaviyo.com/en/reference/create_list
https://developers.klaviyo.com/en/reference/get_list
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Denied, Taken
from reverse_etl.destinations.audience_directory import Directory, Located, Page, Terms
from reverse_etl.destinations.klaviyo_api import Api, KlaviyoSettings
from reverse_etl.destinations.klaviyo_replies import next_page, read_cursor, read_one, read_rows
from reverse_etl.destinations.replies import UNDOCUMENTED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer, Http

# "a maximum of 10 results per page"
TERMS = Terms("list", "add", "remove", "list_ids", "account_id", most_pages=100)
# "1/s", "15/m" where the count is asked for
_MOST_SIZES = 15
_SIZE_SECONDS = 1.0


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


def read_sizes(
    settings: KlaviyoSettings,
    options: Any,  # noqa: ANN401 - those of audience members, declared where they are used
    http: Http,
    labels: Collection[str],
) -> dict[str, int | None] | str:
    """How many profiles the lists of these labels have, or what hindered asking.

    Args:
        settings: The destination's settings.
        options: The sync's; `list_ids` is read.
        http: Where requests go.
        labels: What is asked for: a list each, the first fifteen of them.

    Returns:
        Profiles by label, nothing for those that were not asked for. A label without a list is not
        in there.
    """
    api = Api(settings, http)
    directory = open_directory(api, may_make=False, ids=options.list_ids)
    asked = sorted(labels)
    sizes: dict[str, int | None] = dict.fromkeys(asked[_MOST_SIZES:])
    for number, label in enumerate(asked[:_MOST_SIZES]):
        # the route of a removal: nothing is made for it
        found = directory.locate(f"{TERMS.removes} {label}")
        if isinstance(found, Taken):
            continue
        if not isinstance(found, Located):
            return _reason(found)
        if number:
            http.clock.sleep(_SIZE_SECONDS, Event())
        params = {"additional-fields[list]": "profile_count", "fields[list]": "profile_count"}
        answer = api.request("GET", f"api/lists/{found.audience}", params=params)
        row = read_one(answer)
        if row is None:
            return _reason(answer)
        count = row["attributes"].get("profile_count")
        sizes[label] = count if type(count) is int else None
    return sizes


def _reason(answer: Answer | Reply) -> str:
    if isinstance(answer, Denied):
        return "refuses the api_key"
    return str(getattr(answer, "reason", UNDOCUMENTED))
