"""Why a request is refused, and with which status.

Every one of these makes the vendor wait for an hour and hold back what comes after
(https://docs.customer.io/journeys/webhooks/), so there are as few as can be.
"""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """A reason, as `/metrics` and the answer name it."""

    MISSING_SIGNATURE = "missing_signature"
    BAD_SIGNATURE = "bad_signature"
    OUTSIDE_REPLAY_WINDOW = "outside_replay_window"
    ADDRESS_NOT_ALLOWED = "address_not_allowed"
    WRONG_CREDENTIALS = "wrong_credentials"
    WRONG_PATH = "wrong_path"
    BODY_TIMED_OUT = "body_timed_out"
    SPOOL_UNAVAILABLE = "spool_unavailable"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS.get(self, 401)

    @property
    def count(self) -> str:
        """The name it is counted under."""
        return f"refused_{self.value}"


_STATUS = {
    Refusal.ADDRESS_NOT_ALLOWED: 403,
    Refusal.WRONG_PATH: 404,
    Refusal.BODY_TIMED_OUT: 408,
    Refusal.SPOOL_UNAVAILABLE: 503,
}


class Refused(Exception):  # noqa: N818 - an outcome of a request, not an error
    """A request is not accepted, and nothing of it is kept."""

    def __init__(self, refusal: Refusal) -> None:
        """Refuse for this reason."""
        super().__init__(refusal.value)
        self.refusal = refusal
