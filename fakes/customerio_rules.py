"""What Customer.io's Track API refuses, in its own shape: a reason, a field and a message.

Source: https://docs.customer.io/integrations/api/track/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Collection

# the larger readings of "500KB" and "32KB"
MAX_BATCH_BYTES = 500 << 10
MAX_ITEM_BYTES = 32 << 10
MAX_ID_BYTES = 150
MAX_NAME_BYTES = 150
MAX_VALUE_BYTES = 1_000
MAX_ATTRIBUTES = 300
MAX_EVENT_NAME_BYTES = 100
MAX_PHONE_BYTES = 16
KINDS = ("id", "email", "cio_id", "phone")
EVENTS = frozenset(["event", "screen", "page"])
ACTIONS = EVENTS | {"identify", "delete", "suppress", "unsuppress"}

_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")

Json = dict[str, Any]


def problem(item: object) -> Json | None:
    """What is wrong with one item of a batch, or nothing."""
    if not isinstance(item, dict) or item.get("type") != "person":
        return _refusal("type", "must be person: this stand-in takes people only")
    if item.get("action") not in ACTIONS:
        return _refusal("action", f"must be one of {', '.join(sorted(ACTIONS))}")
    if len(orjson.dumps(item)) > MAX_ITEM_BYTES:
        return _refusal("", "item cannot be larger than 32KB")
    kinds = (*KINDS, "anonymous_id") if item["action"] in EVENTS else KINDS
    found = _identifiers(item.get("identifiers"), kinds)
    if found is None and item["action"] in EVENTS:
        found = _event(item)
    if found is None and item["action"] == "identify":
        found = _attributes(item.get("attributes", {}))
    return found


def merge_problem(given: object) -> Json | None:
    """What is wrong with a call that merges two profiles, or nothing."""
    if not isinstance(given, dict):
        return _refusal("", "malformed JSON")
    for name in ("primary", "secondary"):
        found = _identifiers(given.get(name), ("id", "email", "cio_id"))
        if found is not None:
            return found | {"field": name}
    return None


def _refusal(field: str, message: str) -> Json:
    return {"reason": "invalid", "field": field, "message": message}


def _identifiers(given: object, kinds: Collection[str] = KINDS) -> Json | None:
    if not isinstance(given, dict) or len(given) != 1 or next(iter(given)) not in kinds:
        return _refusal("identifiers", f"must have exactly one of {', '.join(kinds)}")
    ((kind, value),) = given.items()
    field = f"identifiers.{kind}"
    if not isinstance(value, str) or not value.strip():
        return _refusal(field, "cannot be blank")
    if _size(value) > MAX_ID_BYTES:
        return _refusal(field, f"cannot be longer than {MAX_ID_BYTES} bytes")
    if kind == "email" and "@" not in value:
        return _refusal(field, f'"{value}" is not an email address')
    if kind == "phone" and not _PHONE.fullmatch(value):
        return _refusal(field, "must be in E.164 format")
    return None


def _event(item: Json) -> Json | None:
    name, at, key = item.get("name"), item.get("timestamp"), item.get("id")
    if not isinstance(name, str) or not name.strip():
        return _refusal("name", "cannot be blank")
    if _size(name) > MAX_EVENT_NAME_BYTES:
        return _refusal("name", f"cannot be longer than {MAX_EVENT_NAME_BYTES} bytes")
    if at is not None and (type(at) is not int or at < 0):
        return _refusal("timestamp", "must be a unix timestamp in seconds")
    if key is not None and not (isinstance(key, str) and _ULID.fullmatch(key)):
        return _refusal("id", "must be a valid ULID")
    if not isinstance(item.get("attributes", {}), dict):
        return _refusal("attributes", "must be an object")
    return None


def _attributes(given: object) -> Json | None:
    if not isinstance(given, dict):
        return _refusal("attributes", "must be an object")
    if len(given) > MAX_ATTRIBUTES:
        return _refusal("attributes", f"cannot have more than {MAX_ATTRIBUTES} attributes")
    for name, value in given.items():
        if not name or _size(name) > MAX_NAME_BYTES:
            return _refusal("attributes", f"names must have 1 to {MAX_NAME_BYTES} bytes")
        if _size(value) > (MAX_PHONE_BYTES if name == "phone" else MAX_VALUE_BYTES):
            most = MAX_PHONE_BYTES if name == "phone" else MAX_VALUE_BYTES
            text = f"property value cannot be longer than {most} bytes"
            return _refusal(f"attributes.{name}", text)
    return _reserved(given)


def _reserved(given: Json) -> Json | None:
    created_at, unsubscribed = given.get("created_at"), given.get("unsubscribed")
    if created_at is not None and type(created_at) is not int:
        return _refusal("attributes.created_at", "must be a unix timestamp in seconds")
    if unsubscribed is not None and type(unsubscribed) is not bool:
        return _refusal("attributes.unsubscribed", "must be a boolean")
    return None


def _size(value: object) -> int:
    return len(value.encode() if isinstance(value, str) else orjson.dumps(value))
