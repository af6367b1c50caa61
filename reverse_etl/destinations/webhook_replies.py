"""What a company's own endpoint may answer to a batch of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Later, Taken, Unnamed
from reverse_etl.destinations.replies import read_object
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply

_FAULTS = frozenset([400, 422])


def read_reply(answer: Answer | Reply, count: int) -> Reply:
    """Read a reply: 2xx takes every row that its `rejected` does not name, by index and reason.

    A reply that is not JSON by its own word, or has no body, names none. A 400 or 422 that names
    some took the others, and one that names none took nothing.
    """
    if not isinstance(answer, Answer):
        return answer
    is_fault = answer.status in _FAULTS
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if not is_fault and (not answer.body or kind != "application/json"):
        return Taken()
    body = read_object(answer)
    if body is None:
        return Later("a reply that is not a JSON object", is_maybe_accepted=True)
    rejected = _rejected(body.get("rejected") or [], count)
    if rejected is None:
        return Later("a reply that rejects rows it was not sent", is_maybe_accepted=True)
    if is_fault and not rejected:
        return Unnamed("refused, and the reply does not say which row")
    return Taken(rejected)


def _rejected(listed: Any, count: int) -> dict[int, str] | None:  # noqa: ANN401 - any JSON
    """Reasons by position, or nothing if they are not told as they should be."""
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        return None
    rejected = {each.get("index"): str(each.get("reason") or "rejected") for each in listed}
    is_known = all(type(index) is int and 0 <= index < count for index in rejected)
    return rejected if is_known else None
