"""What Klaviyo says is wrong with profiles: its codes, and whom they are about.

An error names a profile by the payload it was about, or by a pointer into the request. The details
may quote what was sent, so only codes are kept.

https://developers.klaviyo.com/en/reference/get_errors_for_bulk_import_profiles_job
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from reverse_etl.contract import Stop, Taken, Unnamed
from reverse_etl.destinations.klaviyo_replies import (
    hindered,
    next_page,
    read_cursor,
    read_rows,
)
from reverse_etl.destinations.replies import UNREADABLE, read_object
from reverse_etl.profile_keys import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.klaviyo_api import Api
    from reverse_etl.http import Answer

_MOST_PAGES = 20
_POINTER = re.compile(r"/profiles/data/(\d+)(?:/attributes/(\w+))?")
_WORD = re.compile(r"[a-z_]+")


class Errors(NamedTuple):
    """What is wrong with profiles of a job.

    Attributes:
        rows: Reasons by the profile's place in the request.
        unnamed: Errors that do not say whom they are about.
        are_all: No further page was left unread.
    """

    rows: dict[int, str]
    unnamed: int
    are_all: bool


def read_errors(api: Api, path: str, key: str, identifiers: Sequence[str]) -> Errors | Reply:
    """Read a job's errors.

    Args:
        api: Where requests go.
        path: Where they are.
        key: The attribute that identifies.
        identifiers: Those of the job's profiles, in the order of the request.
    """
    rows: dict[int, str] = {}
    unnamed, cursor = 0, None
    for _ in range(_MOST_PAGES):
        answer = api.request("GET", path, params={"page[size]": "100"} | next_page(cursor))
        errors = read_rows(answer)
        if errors is None:
            return hindered(answer, "errors were read")
        for error in errors:
            places = _places(error["attributes"], key, identifiers)
            rows |= dict.fromkeys(places, _reason(error["attributes"]))
            unnamed += not places
        cursor = read_cursor(answer)
        if cursor is None:
            break
    return Errors(rows, unnamed, cursor is None)


def read_refusal(answer: Answer, chosen: Sequence[int], left: Mapping[int, str]) -> Reply:
    """What a 400 says: nothing was taken, and pointers may name the profiles at fault."""
    errors = (read_object(answer) or {}).get("errors")
    if not isinstance(errors, list) or not all(isinstance(error, dict) for error in errors):
        return UNREADABLE
    refused: dict[int, str] = {}
    for error in errors:
        pointer = _pointer(error)
        if "/relationships/lists" in pointer:
            return Stop(f"refuses to add to a list ({_reason(error)}): check list_ids")
        match = _POINTER.search(pointer)
        if match and int(match[1]) < len(chosen):
            refused.setdefault(chosen[int(match[1])], _reason(error))
    if not refused:
        return Unnamed(f"refused: {_reason(errors[0]) if errors else 'no reason'}")
    return Taken(refused, again=frozenset(chosen) - refused.keys(), left=left)


def _places(error: Mapping[str, Any], key: str, identifiers: Sequence[str]) -> list[int]:
    """Where the profiles of an error stand in the request, by its payload, else its pointer."""
    payload = error.get("original_payload")
    payload = payload if isinstance(payload, dict) else {}
    attributes = payload.get("attributes")
    named = (attributes if isinstance(attributes, dict) else payload).get(key)
    if isinstance(named, str):
        return [place for place, each in enumerate(identifiers) if each == folded(key, named)]
    match = _POINTER.search(_pointer(error))
    return [int(match[1])] if match and int(match[1]) < len(identifiers) else []


def _pointer(error: Mapping[str, Any]) -> str:
    source = error.get("source")
    return str(source.get("pointer")) if isinstance(source, dict) else ""


def _reason(error: Mapping[str, Any]) -> str:
    """Klaviyo's code, and the field it is about."""
    code = str(error.get("code"))
    match = _POINTER.search(_pointer(error))
    about = f" ({match[2]})" if match and match[2] else ""
    return f"{code if _WORD.fullmatch(code) else 'invalid'}{about}, says Klaviyo"
