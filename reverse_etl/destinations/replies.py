"""What replies come to that every destination reads alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Check, Denied, Later, Stop, TooLarge, Unnamed
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

UNDOCUMENTED = "a reply that is not the documented one"
UNREADABLE = Later(UNDOCUMENTED, is_maybe_accepted=True)
"""Who answers something else may have taken the batch all the same."""


def read_object(answer: Answer | Reply) -> dict[str, Any] | None:
    """The JSON object of a reply, or nothing if it is another JSON, or none."""
    body = answer.json() if isinstance(answer, Answer) else None
    return body if isinstance(body, dict) else None


def unsent(answer: Answer | Reply) -> Reply:
    """What hindered a request that carried no row: whatever it is, no row was taken."""
    match answer:
        case Answer():
            return Later(UNDOCUMENTED, is_maybe_accepted=False)
        case Later():
            return replace(answer, is_maybe_accepted=False)
        case _:
            return answer


def failed(reply: Answer | Reply, denied: str, otherwise: str | None = None) -> Check:
    """A check that did not succeed.

    Args:
        reply: What came of its request.
        denied: What a refusal of the credentials means.
        otherwise: What a reply means that has no reason of its own; the same if not given.
    """
    match reply:
        case Later() | Stop() | TooLarge() | Unnamed():
            message = reply.reason
        case Denied():
            message = denied
        case _:
            message = otherwise or denied
    return Check(is_ok=False, message=message)
