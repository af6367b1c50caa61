"""One HTTP attempt, and what its outcome means where vendors agree.

What a status does not say is not guessed: after a request has left, anything but a parsed reply
means that the vendor may have taken it.
"""

from __future__ import annotations

import ipaddress
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import orjson
from httpx import codes

from reverse_etl.clock import Clock
from reverse_etl.contract import Denied, Later, Stop, TooLarge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from types import TracebackType

    from reverse_etl.contract import Reply

_TIMEOUT_SECONDS = 30.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNUSABLE = (httpx.InvalidURL, httpx.UnsupportedProtocol)
READ_BY_DESTINATION = frozenset([codes.BAD_REQUEST, codes.UNPROCESSABLE_ENTITY])
"""Statuses beside 2xx that a destination reads itself unless it names others."""

_NOT_NOW = frozenset([codes.REQUEST_TIMEOUT, codes.TOO_EARLY, codes.TOO_MANY_REQUESTS])


@dataclass(frozen=True)
class Answer:
    """A reply that arrived whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - any JSON
        """The parsed body, or nothing if it is not JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class Http:
    """Connections of one run to one destination. Redirects are never followed.

    Attributes:
        clock: What tells the time.
        ahead_seconds: By how much this machine's clock was ahead of the vendor's at the last reply,
            by its Date header, which has whole seconds; nothing before, or without one.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """Make ready; nothing is opened yet.

        Args:
            base_url: Where requests go.
            clock: What tells the time.
            timeout_seconds: For connecting, and between two pieces of a reply.
        """
        self.clock = clock or Clock()
        self.ahead_seconds: float | None = None
        self._base_url = base_url.rstrip("/")
        self._client = httpx.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            # a proxy from the environment has no business between us and this machine
            trust_env=not is_loopback(base_url),
        )

    def __enter__(self) -> Http:
        """Enter; `__exit__` closes the connections."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._client.close()

    def at(self, base_url: str) -> Http:
        """The same connections, to another address of the same vendor."""
        twin = copy(self)
        twin._base_url = base_url.rstrip("/")  # noqa: SLF001 - of our own copy
        return twin

    def post(
        self,
        path: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        read: Collection[int] = READ_BY_DESTINATION,
    ) -> Answer | Reply:
        """Make one attempt to send something, as `request` does."""
        return self.request(
            "POST", path, content=content, headers=headers, params=params, read=read
        )

    def get(
        self,
        path: str,
        *,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        read: Collection[int] = READ_BY_DESTINATION,
    ) -> Answer | Reply:
        """Make one attempt to read something, as `request` does."""
        return self.request("GET", path, headers=headers, params=params, read=read)

    def request(  # noqa: PLR0913 - a request has so many parts
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        read: Collection[int] = READ_BY_DESTINATION,
    ) -> Answer | Reply:
        """Make one attempt.

        Args:
            method: GET, POST, PUT, PATCH or DELETE.
            path: The path below the base URL.
            content: The body, encoded, if there is one.
            headers: The headers, credentials included.
            params: The query.
            read: The statuses that are the destination's to read, beside 2xx.

        Returns:
            The answer if it is the destination's to read, else what it means.
        """
        url = f"{self._base_url}/{path.lstrip('/')}"
        try:
            response = self._client.request(
                method, url, content=content, headers=headers, params=params
            )
        except _NOT_SENT as error:
            return Later(f"cannot connect ({type(error).__name__})", is_maybe_accepted=False)
        except _UNUSABLE:
            return Stop("the base URL is not a URL")
        except httpx.HTTPError as error:
            return Later(f"no whole reply ({type(error).__name__})", is_maybe_accepted=True)
        date = _instant(response.headers.get("date", ""))
        if date is not None:
            self.ahead_seconds = (self.clock.now() - date).total_seconds()
        answer = Answer(response.status_code, response.headers, response.content)
        return self._classify(answer, read) or answer

    def _classify(self, answer: Answer, read: Collection[int]) -> Reply | None:
        status = answer.status
        reply: Reply | None
        if codes.is_success(status) or status in read:
            reply = None
        elif status in {codes.UNAUTHORIZED, codes.FORBIDDEN}:
            reply = Denied(status)
        elif status == codes.REQUEST_ENTITY_TOO_LARGE:
            reply = TooLarge()
        elif codes.is_server_error(status) or status in _NOT_NOW:
            wait = retry_after(answer.headers.get("retry-after"), now=self.clock.now())
            # a gateway answers 5xx also when its upstream did the work and the reply was lost
            is_maybe_accepted = status != codes.TOO_MANY_REQUESTS
            reply = Later(f"answered {status}", is_maybe_accepted, wait)
        elif codes.is_redirect(status):
            reply = Stop(f"answered {status}, a redirect, which is not followed")
        else:
            reply = Stop(f"answered {status}")
        return reply


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: a number of seconds or an HTTP date.

    Args:
        value: The header.
        now: The present, naive UTC.

    Returns:
        The seconds, never negative, or nothing if there is no header or it cannot be read.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        instant = _instant(value)
        if instant is None:
            return None
        seconds = (instant - now).total_seconds()
    return max(seconds, 0.0) if seconds < float("inf") else None


def _instant(value: str) -> datetime | None:
    """An HTTP date as naive UTC, or nothing if it is none."""
    try:
        instant = parsedate_to_datetime(value)
    except ValueError:
        return None
    return instant if instant.tzinfo is None else instant.astimezone(UTC).replace(tzinfo=None)


def is_loopback(url: str) -> bool:
    """Whether a URL points to this machine, or to a file on it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host == "localhost" or parts.scheme == "file":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
