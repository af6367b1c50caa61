"""What the Data Manager API's refusals and statuses say of the rows of a request.

https://developers.google.com/data-manager/api/reference/rest/v1/requestStatus/retrieve
https://developers.google.com/data-manager/api/devguides/concepts/errors
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reverse_etl.contract import Later, Stop, Taken, TooLarge, Unnamed
from reverse_etl.destinations.replies import UNDOCUMENTED, UNREADABLE, read_object

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer

_MEMBER = re.compile(r"audience_?members\[(\d+)\]", re.IGNORECASE)
_REASON = re.compile(r"[A-Z][A-Z_0-9]*")
_MENDED_BY_HAND = frozenset(
    {
        *("INVALID_DESTINATION", "INVALID_USER_LIST_ID", "TERMS_AND_CONDITIONS_NOT_SIGNED"),
        *("DUPLICATE_DESTINATION_REFERENCE", "TOO_MANY_DESTINATIONS", "INVALID_ENUM_VALUE"),
        *("DESTINATION_ACCOUNT_NOT_ENABLED", "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"),
    }
)
_CONSENT = ("DENIED_CONSENT", "NO_CONSENT", "UNKNOWN_CONSENT")
_TRANSIENT = ("INTERNAL_ERROR", "TRANSIENT", "DESTINATION_ACCOUNT_DATA_POLICY_UNAVAILABLE")
_PREFIX = "PROCESSING_ERROR_REASON_"
_MOST_SOUGHT = 20
"""Bad rows of a request that are looked for by halving: each half is processed for minutes."""


def read_refusal(answer: Answer, rows: int) -> Reply:
    """What a 400 says: one bad row fails the request, and the field's path names it.

    Args:
        answer: The reply.
        rows: How many were in the request.

    Returns:
        The rows named are refused and the others sent again; without names the batch is halved.
    """
    error = (read_object(answer) or {}).get("error")
    if not isinstance(error, dict):
        return UNREADABLE
    refused: dict[int, str] = {}
    reasons = []
    for path, reason in _violations(error):
        match = _MEMBER.search(path)
        if match and int(match[1]) < rows:
            refused.setdefault(int(match[1]), reason)
        reasons.append(reason)
    if refused:
        return Taken(refused, again=frozenset(range(rows)) - refused.keys())
    reason = next(iter(reasons), _word(error.get("status")))
    if "TOO_MANY_AUDIENCE_MEMBERS" in reasons:
        return TooLarge()
    if _MENDED_BY_HAND & set(reasons):
        return Stop(f"refuses ({reason})")
    return Unnamed(f"refused: {reason}")


def _violations(error: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Paths and reasons of what is wrong; the descriptions may quote what was sent."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if not isinstance(detail, dict):
            continue
        violations = detail.get("fieldViolations")
        for violation in violations if isinstance(violations, list) else []:
            if isinstance(violation, dict):
                yield str(violation.get("field")), _word(violation.get("reason"))
        if "reason" in detail:
            yield "", _word(detail["reason"])


def _word(reason: object) -> str:
    """A reason that is one of Google's words."""
    is_word = isinstance(reason, str) and _REASON.fullmatch(reason)
    return str(reason) if is_word else "no reason"


def read_request_id(answer: Answer) -> str | None:
    """The id by which the request's status is asked for, or nothing if the reply is another."""
    found = (read_object(answer) or {}).get("requestId")
    return found if isinstance(found, str) and found else None


def read_status(answer: Answer, rows: int) -> Reply | None:
    """What a status says of a request.

    Args:
        answer: The reply.
        rows: How many were in the request.

    Returns:
        What came of it, or nothing while it is processed.
    """
    statuses = (read_object(answer) or {}).get("requestStatusPerDestination")
    if not isinstance(statuses, list) or len(statuses) != 1 or not isinstance(statuses[0], dict):
        return Later(f"its status: {UNDOCUMENTED}", is_maybe_accepted=True)
    match statuses[0].get("requestStatus"):
        case "SUCCESS":
            return Taken()
        case "FAILED":
            return _failed(_errors(statuses[0]), rows)
        case "PARTIAL_SUCCESS":
            return _partial(_errors(statuses[0]), rows)
        case _:
            return None


def _errors(status: Mapping[str, Any]) -> dict[str, int]:
    """Rows by reason; int64 comes as text in JSON."""
    info = status.get("errorInfo")
    counts = info.get("errorCounts") if isinstance(info, dict) else None
    found: dict[str, int] = {}
    for count in counts if isinstance(counts, list) else []:
        if isinstance(count, dict):
            number = str(count.get("recordCount", "0"))
            reason = _word(count.get("reason")).removeprefix(_PREFIX)
            found[reason] = int(number) if number.isdecimal() else 0
    return found


def _failed(errors: Mapping[str, int], rows: int) -> Reply:
    reasons = ", ".join(sorted(errors)) or "no reason"
    if any(reason in _TRANSIENT for reason in errors):
        return Later(f"failed: {reasons}", is_maybe_accepted=True)
    if errors and all(reason in _CONSENT for reason in errors):
        return Stop(f"uses nobody ({reasons}): see the sync's settings, consent")
    return Unnamed(f"all {rows} rows failed: {reasons}")


def _partial(errors: Mapping[str, int], rows: int) -> Reply:
    bad = sum(errors.values())
    reason = f"{bad} of {rows} rows failed: {', '.join(sorted(errors)) or 'no reason'}"
    if bad > _MOST_SOUGHT and rows > 1:
        return Taken(unsure=dict.fromkeys(range(rows), reason))
    return Unnamed(reason)
