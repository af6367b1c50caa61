"""Klaviyo's replies, which are JSON:API: resources, pages of them, and where the next begins.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from httpx import codes

from reverse_etl.contract import Unnamed
from reverse_etl.destinations.replies import read_object, unsent
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply


def next_page(cursor: str | None) -> dict[str, str]:
    """The query that asks for the page of a cursor; the first has none."""
    return {} if cursor is None else {"page[cursor]": cursor}


def read_rows(answer: Answer | Reply) -> list[dict[str, Any]] | None:
    """The resources of a collection, each with its id and attributes, or nothing if it is none."""
    rows = (read_object(answer) or {}).get("data")
    if not isinstance(rows, list) or not all(map(_is_resource, rows)):
        return None
    return rows


def read_one(answer: Answer | Reply) -> dict[str, Any] | None:
    """The one resource of a reply, or nothing if it has none."""
    row = (read_object(answer) or {}).get("data")
    return row if isinstance(row, dict) and _is_resource(row) else None


def _is_resource(row: Any) -> bool:  # noqa: ANN401 - any JSON
    return (
        isinstance(row, dict)
        and isinstance(row.get("id"), str)
        and isinstance(row.get("attributes"), dict)
    )


def read_cursor(answer: Answer | Reply) -> str | None:
    """Where the next page begins, if there is one: the cursor in the address of its link."""
    links = (read_object(answer) or {}).get("links")
    following = links.get("next") if isinstance(links, dict) else None
    if not isinstance(following, str):
        return None
    return parse_qs(urlsplit(following).query).get("page[cursor]", [None])[0]


def hindered(answer: Answer | Reply, doing: str) -> Reply:
    """What hindered a request that carried no row."""
    if isinstance(answer, Answer) and answer.status != codes.OK:
        return Unnamed(f"answered {answer.status} when {doing}")
    return unsent(answer)
