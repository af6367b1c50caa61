"""What a reply of Mixpanel's says of the records that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Later, Taken, Unnamed
from reverse_etl.destinations.replies import UNREADABLE
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

_FAULTS = frozenset([400, 422])


def read_reply(answer: Answer | Reply, count: int) -> Reply:
    """Read a reply of `/import`, or of `/engage`.

    400 is a partial success: what `failed_records` does not name was taken; records are told by
    their index, because the id's key differs between the reference's text and its schema. The
    shape that `/engage` answers to `strict=1` is not documented: the shape of `/import`, the one of
    `verbose=1` and the bare digit are all read.
    """
    if not isinstance(answer, Answer):
        return answer
    body = answer.json()
    failed = body.get("failed_records") if isinstance(body, dict) else None
    if answer.status in _FAULTS:
        return _read_failed(body, failed, count)
    if body == 1 or (isinstance(body, dict) and body.get("status") == 1):
        return Taken()
    if body == 0 or (isinstance(body, dict) and body.get("status") == 0):
        return Unnamed("refused, and the reply does not say which record")
    if isinstance(body, dict) and body.get("num_records_imported") == count and not failed:
        return Taken()
    return UNREADABLE


def _read_failed(body: Any, failed: Any, count: int) -> Reply:  # noqa: ANN401 - any JSON
    if not isinstance(body, dict):
        return UNREADABLE
    if not failed:
        return Unnamed("refused, and the reply does not say which record")
    refused: dict[int, str] = {}
    try:
        for record in failed:
            reason = f"{record.get('field', '')}: {record.get('message', '')}"
            refused.setdefault(int(record["index"]), reason)
    except (AttributeError, KeyError, TypeError, ValueError):
        refused = {}
    is_whole = body.get("num_records_imported") == count - len(refused)
    if not refused or not is_whole or not all(0 <= index < count for index in refused):
        return Later("a reply whose counts do not agree", is_maybe_accepted=True)
    return Taken(refused)
