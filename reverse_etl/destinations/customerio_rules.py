"""What Customer.io's Track API takes, and how it names a person, an event and a refusal.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Refused
from reverse_etl.destinations.payloads import read_payload
from reverse_etl.profile_keys import split

if TYPE_CHECKING:
    from reverse_etl.contract import Change

# "500KB" and "32KB": the smaller reading of the two is safe under both
MAX_BATCH_BYTES = 500_000
MAX_ITEM_BYTES = 32_000
MAX_ID_BYTES = 150
MAX_NAME_BYTES = 150
MAX_VALUE_BYTES = 1_000
MAX_ATTRIBUTES = 300
MAX_EVENT_NAME_BYTES = 100
MAX_PHONE_BYTES = 16

KINDS = {"id": "id", "email": "email", "cio": "cio_id"}
# Attributes that are instructions: another identity, an order of updates, links to objects.
_INSTRUCTIONS = frozenset(
    ["id", "cio_id", "anonymous_id", "_timestamp", "_update", "cio_relationships"]
)
# Data of an event that would send its campaign's message to somebody else, or from somebody else.
_OVERRIDES = frozenset(["from_address", "recipient", "reply_to"])
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)
_ULID_TIME_BITS = 48
_ADDRESS = re.compile(r"\S*@\S*")
_QUOTED = re.compile(r'"[^"]*"')


def identify_by(change: Change) -> dict[str, str]:
    """The one identifier of a person, as the vendor names its kind.

    Raises:
        Refused: It is no profile key, or longer than the vendor takes.
    """
    parts = split(change.identifier)
    if parts is None:
        message = "an identifier without its kind: the sync's identity must be profile_key"
        raise Refused(message)
    kind, value = parts
    if not value.strip() or len(value.encode()) > MAX_ID_BYTES:
        message = f"an identifier that is blank, or longer than {MAX_ID_BYTES} bytes"
        raise Refused(message)
    return {KINDS[kind]: value}


def read_attributes(change: Change) -> dict[str, Any]:
    """The attributes of a profile: what is null is not there, so that it overwrites nothing.

    Raises:
        Refused: One breaks a limit; the reason names it.
    """
    attributes = {
        name: value
        for name, value in read_payload(change).items()
        if value is not None and name not in _INSTRUCTIONS
    }
    if len(attributes) > MAX_ATTRIBUTES:
        message = f"more than {MAX_ATTRIBUTES} attributes"
        raise Refused(message)
    for name, value in attributes.items():
        if not name or len(name.encode()) > MAX_NAME_BYTES:
            message = f"an attribute whose name is empty, or longer than {MAX_NAME_BYTES} bytes"
            raise Refused(message)
        most = MAX_PHONE_BYTES if name == "phone" else MAX_VALUE_BYTES
        if _size(value) > most:
            message = f"attribute {name}: more than {most} bytes"
            raise Refused(message)
    return attributes


def read_data(change: Change) -> dict[str, Any]:
    """The data of an event, without what would address its messages anew.

    Raises:
        Refused: The payload is not a JSON object.
    """
    return {name: value for name, value in read_payload(change).items() if name not in _OVERRIDES}


def event_name(change: Change) -> str:
    """The name of an event.

    Raises:
        Refused: It is blank, or longer than the vendor takes.
    """
    if not change.label.strip():
        message = "an event without a name"
        raise Refused(message)
    if len(change.label.encode()) > MAX_EVENT_NAME_BYTES:
        message = f"an event's name of more than {MAX_EVENT_NAME_BYTES} bytes"
        raise Refused(message)
    return change.label


def ulid(occurred_ms: int, key: str) -> str:
    """The ULID of an event: its time, and a digest of its key, so that it is always the same.

    Raises:
        Refused: It lies before 1970, or beyond what a ULID can tell.
    """
    if not 0 <= occurred_ms < 1 << _ULID_TIME_BITS:
        message = "time is before 1970, or beyond the year 10889"
        raise Refused(message)
    digest = hashlib.sha256(key.encode()).digest()[:10]
    number = occurred_ms << 80 | int.from_bytes(digest)
    # two letters at a time: called for every event that is sent
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def words(error: object) -> str:
    """One refusal in words, without addresses and without what it quotes."""
    if not isinstance(error, dict):
        return "refused without a reason"
    said = [str(error[key]) for key in ("reason", "field", "message") if error.get(key)]
    return _ADDRESS.sub("…", _QUOTED.sub('"…"', ": ".join(said))) or "refused without a reason"


def _size(value: object) -> int:
    return len(value.encode() if isinstance(value, str) else orjson.dumps(value))
