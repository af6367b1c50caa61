"""What Klaviyo refuses of a request, in its words.

Source: https://github.com/klaviyo/openapi (stable), https://developers.klaviyo.com/en/docs
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from fakes.wire import Refusal

MOST_PROFILES = 10_000
MOST_BYTES = 5_000_000
MOST_PROFILE_BYTES = 100_000
MOST_MEMBERS = 1_000
IDENTIFIERS = ("email", "phone_number", "external_id")
DELETED_BY = ("id", "email", "phone_number")
ATTRIBUTES = frozenset(
    {
        *IDENTIFIERS,
        *("_kx", "first_name", "last_name", "organization", "locale", "title", "image"),
        *("location", "properties"),
    }
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_REVISION = re.compile(r"\d{4}-\d{2}-\d{2}(\.\w+)?")
_FILTER = re.compile(r"(any|equals)\((\w+),(.*)\)", re.DOTALL)


def refusal(status: int, code: str, detail: str, pointer: str = "/data") -> Refusal:
    """A refusal with one error, as JSON:API writes it."""
    return Refusal(status, {"errors": [error(status, code, detail, pointer)]})


def error(status: int, code: str, detail: str, pointer: str) -> dict[str, Any]:
    """One error."""
    return {
        "id": "fake",
        "status": status,
        "code": code,
        "title": "Invalid input.",
        "detail": detail,
        "source": {"pointer": pointer},
    }


def check_revision(revision: str) -> None:
    """Every request names a revision of the API."""
    if not _REVISION.fullmatch(revision):
        raise refusal(400, "revision_required", "A revision is required for this endpoint.")


def read_filter(text: str, fields: tuple[str, ...]) -> tuple[str, set[str]]:
    """The field of a filter and the values it lets through."""
    match = _FILTER.fullmatch(text)
    if match is None or match[2] not in fields:
        raise refusal(400, "invalid", "Invalid filter provided.", "")
    try:
        values = orjson.loads(match[3])
    except orjson.JSONDecodeError:
        raise refusal(400, "invalid", "Invalid filter provided.", "") from None
    values = [values] if match[1] == "equals" else values
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refusal(400, "invalid", "Invalid filter provided.", "")
    return match[2], set(values)


def read_size(text: str, most: int) -> int:
    """The size of a page."""
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise refusal(400, "invalid", f"Page size must be an integer between 1 and {most}.", "")
    return int(text)


def check_import(body: Any, size: int) -> tuple[list[dict[str, Any]], list[str]]:  # noqa: ANN401 - any JSON
    """The profiles of an import and the lists they are added to, or what is wrong with it."""
    if size > MOST_BYTES:
        raise refusal(413, "payload_too_large", "Payload exceeds the maximum of 5MB.")
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("type") != "profile-bulk-import-job":
        raise refusal(400, "invalid", "Invalid resource type.", "/data/type")
    profiles = _data(data.get("attributes", {}).get("profiles"))
    if not 0 < len(profiles) <= MOST_PROFILES:
        detail = f"Between 1 and {MOST_PROFILES} profiles are accepted."
        raise refusal(400, "invalid", detail, "/data/attributes/profiles/data")
    faults = [fault for at, each in enumerate(profiles) for fault in _faults(at, each)]
    if faults:
        raise Refusal(400, {"errors": faults})
    lists = _data(data.get("relationships", {}).get("lists", {"data": []}))
    return profiles, [str(each.get("id")) for each in lists]


def _data(given: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    rows = given.get("data") if isinstance(given, dict) else None
    return rows if isinstance(rows, list) else []


def _faults(at: int, profile: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """What is wrong with the profile at a place of the request."""
    pointer = f"/data/attributes/profiles/data/{at}"
    attributes = profile.get("attributes") if isinstance(profile, dict) else None
    if not isinstance(attributes, dict) or profile.get("type") != "profile":
        return [error(400, "invalid", "Not a profile.", pointer)]
    if not profile.get("id") and not any(attributes.get(name) for name in IDENTIFIERS):
        return [error(400, "invalid", "One of email, phone_number or external_id.", pointer)]
    if len(orjson.dumps(profile)) > MOST_PROFILE_BYTES:
        return [error(400, "invalid", "Profile exceeds the maximum of 100KB.", pointer)]
    details = dict.fromkeys(attributes.keys() - ATTRIBUTES, "It is not a valid field.")
    address = attributes.get("email")
    if address is not None and not (isinstance(address, str) and _ADDRESS.fullmatch(address)):
        details["email"] = f"{address} is not a valid email address."
    if not isinstance(attributes.get("properties", {}), dict):
        details["properties"] = "It is not an object."
    return [
        error(400, "invalid", detail, f"{pointer}/attributes/{name}")
        for name, detail in sorted(details.items())
    ]


def check_deletion(body: Any) -> tuple[str, str]:  # noqa: ANN401 - any JSON
    """The one identifier of a profile to delete, and which it is."""
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, dict) or data.get("type") != "data-privacy-deletion-job":
        raise refusal(400, "invalid", "Invalid resource type.", "/data/type")
    profile = (data.get("attributes") or {}).get("profile")
    named = profile.get("data") if isinstance(profile, dict) else None
    attributes = named.get("attributes") if isinstance(named, dict) else None
    if not isinstance(named, dict) or named.get("type") != "profile" or attributes is None:
        raise refusal(400, "invalid", "Not a profile.", "/data/attributes/profile/data")
    given = {"id": named.get("id")} | {key: attributes.get(key) for key in DELETED_BY[1:]}
    found = [(key, str(value)) for key, value in given.items() if value]
    if len(found) != 1:
        raise refusal(400, "invalid", "Exactly one of id, email or phone_number is required.")
    return found[0]


def check_members(body: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """The profiles that a change of a list is about."""
    members = body.get("data") if isinstance(body, dict) else None
    if not isinstance(members, list) or not 0 < len(members) <= MOST_MEMBERS:
        raise refusal(400, "invalid", f"Between 1 and {MOST_MEMBERS} profiles are accepted.")
    for member in members:
        if not isinstance(member, dict) or member.get("type") != "profile" or "id" not in member:
            raise refusal(400, "invalid", "Not the identifier of a profile.")
    return [str(member["id"]) for member in members]
