"""What Meta's refusals mean, and how much of its hourly rate is left.

https://developers.facebook.com/docs/marketing-api/error-reference
https://developers.facebook.com/docs/graph-api/overview/rate-limiting
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Denied, Later, Stop, Unnamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer

READ = frozenset(
    [
        *(codes.BAD_REQUEST, codes.UNAUTHORIZED, codes.FORBIDDEN, codes.NOT_FOUND),
        codes.INTERNAL_SERVER_ERROR,
    ]
)
"""Statuses whose body says what is wrong; a throttled request is a 400 or a 403."""

THROTTLED = frozenset([4, 17, 32, 341, 613, 80003])
AGAIN = frozenset([1, 2])
TOKEN = frozenset([102, 190, 463, 467])
# what no waiting mends, in words that say the way out
FATAL: Mapping[int, str] = {
    10: "refuses: the app lacks a permission",
    105: "refuses: the request has too many parameters",
    200: "refuses: the token may not write to this ad account, or the audience terms of service "
    "are not accepted in its business settings",
    294: "refuses: the token lacks ads_management, or the audience terms of service are not "
    "accepted",
    368: "refuses: the account is blocked for breaking Meta's policies",
    2635: "refuses this version of its API: set a newer api_version",
    2655: "refuses: accept the custom audience terms of service in the business settings",
}
UNDER_WAY = Later("a replacement of this audience is under way", is_maybe_accepted=False)
"""It takes nothing else meanwhile; one that a run left open is given up after 90 minutes."""

ABSENT = Stop(
    "knows no audience by this id: it was deleted, or audience_ids names one of another account"
)
"""What it says of an audience that is not there, or that was made a moment ago."""

_UNKNOWN_ALIAS = 803
_REPLACEMENT = 2650
_UNDER_WAY_SUBCODE = 1870145
_NO_SUCH_OBJECT = (100, 33)
_BLOCKED_SUBCODE = 1713230
_TERMS_SUBCODE = 1870090
_SPENT_PERCENT = 95
_PAUSE_SECONDS = 60.0


@dataclass
class Usage:
    """The share of the hourly rate that Meta says is spent, in the headers of its replies.

    Attributes:
        percent: The largest of its shares.
        minutes: How long until it answers again, if it says.
    """

    percent: float = 0.0
    minutes: float = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Read a reply's header; one that cannot be read says nothing."""
        try:
            parsed = orjson.loads(headers.get("x-business-use-case-usage", "null"))
        except orjson.JSONDecodeError:
            return
        rows = [row for rows in parsed.values() for row in rows] if _is_usage(parsed) else []
        shares = ("call_count", "total_cputime", "total_time")
        numbers = [row.get(key, 0) for row in rows for key in shares]
        waits = [row.get("estimated_time_to_regain_access", 0) for row in rows]
        self.percent = max([n for n in numbers if isinstance(n, int | float)], default=0.0)
        self.minutes = max([n for n in waits if isinstance(n, int | float)], default=0.0)

    def wait(self) -> float | None:
        """Seconds to wait before the next request, once; then the next reply tells anew."""
        if self.percent < _SPENT_PERCENT and not self.minutes:
            return None
        seconds = self.minutes * 60 or _PAUSE_SECONDS
        self.percent = self.minutes = 0.0
        return seconds


def _is_usage(parsed: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(parsed, dict) and all(
        isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
        for rows in parsed.values()
    )


def read_refusal(answer: Answer, usage: Usage) -> Reply | None:
    """What a reply refuses, or nothing if it is a success.

    Args:
        answer: The reply.
        usage: Says how long a throttled account waits.

    Returns:
        What to do. Where no code says otherwise the status decides.
    """
    if codes.is_success(answer.status):
        return None
    body = answer.json()
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return _by_status(answer.status)
    return _by_code(error, answer.status, usage)


def _by_status(status: int) -> Reply:
    if status in {codes.UNAUTHORIZED, codes.FORBIDDEN}:
        return Denied(status)
    if status == codes.NOT_FOUND:
        return Stop(f"answered {status}")
    return Later(f"answered {status} without the documented error", is_maybe_accepted=True)


def _by_code(error: Mapping[str, Any], status: int, usage: Usage) -> Reply:
    code, subcode = error["code"], error.get("error_subcode")
    reply: Reply
    if code in TOKEN:
        reply = Denied(status)
    elif code in THROTTLED:
        reply = Later(
            f"throttled (code {code})", is_maybe_accepted=False, wait_seconds=usage.wait()
        )
    elif code == _UNKNOWN_ALIAS or (code, subcode) == _NO_SUCH_OBJECT:
        reply = ABSENT
    elif code == _REPLACEMENT:
        reply = UNDER_WAY if subcode == _UNDER_WAY_SUBCODE else _lost(subcode)
    elif code in AGAIN or error.get("is_transient") is True or codes.is_server_error(status):
        reply = Later(f"answered code {code}", is_maybe_accepted=True)
    elif subcode == _BLOCKED_SUBCODE:
        reply = Stop("blocks uploads to this audience (operation_status 471): choose another name")
    elif subcode == _TERMS_SUBCODE:
        reply = Stop(FATAL[2655])
    elif code in FATAL:
        reply = Stop(FATAL[code])
    else:
        # Meta's words may quote what was sent, so only its numbers are kept
        reply = Unnamed(f"refused with code {code}, subcode {subcode}")
    return reply


def _lost(subcode: object) -> Stop:
    """A session that Meta no longer goes on with: what it holds of the audience is not known."""
    return Stop(
        f"gave up the replacement of an audience (subcode {subcode}), as it does after 90 minutes: "
        "the next run begins anew"
    )
