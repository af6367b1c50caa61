"""What Segment takes in silence and drops, found before it is sent.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson

from reverse_etl.contract import Refused

# "32KB" and "500KB": the smaller reading of the two is safe under both
MAX_CALL_BYTES = 32_000
MAX_BATCH_BYTES = 500_000
MAX_CALLS = 2_500
MAX_MESSAGE_ID = 100
_NOT_WORD = re.compile(r"\W+")


def encode_call(call: dict[str, Any]) -> bytes:
    """One call as bytes, if it is one that Segment would keep.

    Args:
        call: An `identify` or `track` call, as the batch is to carry it.

    Returns:
        Its JSON.

    Raises:
        Refused: It breaks a rule for which Segment answers 200 all the same.
    """
    reason = None
    if not call["userId"]:
        reason = "a call without userId"
    elif call["type"] == "track" and not call["event"]:
        reason = "an event without a name"
    elif not 0 < len(call["messageId"]) <= MAX_MESSAGE_ID:
        reason = f"messageId has more than {MAX_MESSAGE_ID} characters"
    if reason is not None:
        raise Refused(reason)
    record = orjson.dumps(call)
    if len(record) > MAX_CALL_BYTES:
        message = f"a call of {len(record)} bytes; Segment takes 32 KB"
        raise Refused(message)
    return record


@cache
def audience_key(label: str) -> str:
    """A label as the name of a trait: `CIO | Buyers | 0-3d` is `cio_buyers_0_3d`.

    Raises:
        Refused: The label has neither letters nor digits.
    """
    key = _NOT_WORD.sub("_", label.lower()).strip("_")
    if not key:
        message = "an audience without a label"
        raise Refused(message)
    return key
