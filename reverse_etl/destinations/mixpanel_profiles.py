"""Mixpanel's profiles: changed through `/engage`, one record a person.

https://docs.mixpanel.com/reference/profile-batch-update
https://docs.mixpanel.com/reference/profile-set
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Limits
from reverse_etl.destinations.mixpanel_replies import read_reply
from reverse_etl.destinations.mixpanel_rules import check_member, read_profile

if TYPE_CHECKING:
    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

# 2,000 records of at most 1 MB; the whole request's limit is not given, so the one of events holds
PROFILE_LIMITS = Limits(
    2_000, 2_097_152, 1_048_575, connections=2, prefix=b"[", separator=b",", suffix=b"]"
)


def write_member(token: str, name: str, change: Change) -> bytes:
    """An audience put on the list `name` of a profile, or taken off it."""
    check_member(change)
    operation: dict[str, Any] = {"$union": {name: [change.label]}}
    if change.operation == "remove":
        operation = {"$remove": {name: change.label}}
    return orjson.dumps({"$token": token, "$distinct_id": change.identifier, **operation})


def write_profile(token: str, change: Change) -> bytes:
    """Properties set on a profile."""
    values = read_profile(change)
    return orjson.dumps({"$token": token, "$distinct_id": change.identifier, "$set": values})


def engage(http: Http, path: str, content: bytes, count: int) -> Reply:
    """Change profiles: one record a person, uncompressed, because gzip is not taken here."""
    headers = {"Content-Type": "application/json"}
    params = {"ip": "0", "strict": "1", "verbose": "1"}
    return read_reply(http.post(path, content=content, headers=headers, params=params), count)
