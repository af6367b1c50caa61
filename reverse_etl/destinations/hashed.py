"""Match keys as every ad platform reads them: a JSON object of digests, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Refused
from reverse_etl.destinations.payloads import check_label

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from reverse_etl.contract import Change

_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_match_keys(change: Change, allowed: Collection[str]) -> dict[str, str]:
    """The match keys of a row and their digests.

    Args:
        change: The row.
        allowed: Names of the keys that the platform knows.

    Returns:
        SHA-256 in small hexadecimal digits by key, one at least.

    Raises:
        Refused: They are none, or hold something else: it may be readable, so it does not leave.
    """
    try:
        keys = orjson.loads(change.identifier)
    except orjson.JSONDecodeError:
        keys = None
    if not isinstance(keys, dict) or not keys:
        message = "the identifier is not a JSON object of match keys"
        raise Refused(message)
    if any(key not in allowed for key in keys):
        message = "a match key that the platform does not know"
        raise Refused(message)
    if not all(isinstance(text, str) and _DIGEST.fullmatch(text) for text in keys.values()):
        message = "a match key that is not a SHA-256 digest in small hexadecimal digits"
        raise Refused(message)
    check_label(change)
    return keys


def encode_cells(change: Change, schema: Sequence[str]) -> bytes:
    """The match keys of a row as a list with a cell for every key, empty where there is none.

    Raises:
        Refused: As `read_match_keys` does.
    """
    keys = read_match_keys(change, schema)
    return orjson.dumps([keys.get(name, "") for name in schema])
