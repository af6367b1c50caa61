"""Requests to the App API: its rate kept, refusals understood, the key never shown.

Source: https://docs.customer.io/integrations/api/app/. A 429 says in Retry-After how long to wait,
except for a daily quota.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import httpx
import orjson
from httpx import codes

from loaders.customerio.api_pace import Bucket, Timing
from loaders.customerio.api_replies import Answer, explain, retry_after
from loaders.customerio.api_settings import SECTION
from warehouse.errors import CioError
from warehouse.secrets import SECRETS_FILE, variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from loaders.customerio.api_settings import ApiSettings

CONNECTIONS = 4
"""Requests under way at once: with replies of 300 ms, one after another makes three a second."""

_TIMEOUT_SECONDS = 60.0
_ATTEMPTS = 8
_GIVE_UP_AFTER_SECONDS = 600.0
"""For the rate alone: another program may use up the workspace's ten a second for a while."""
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 60.0
_LONGEST_DETAIL = 300
_EMAIL = re.compile(r"[^\s\"'<>]+@[^\s\"'<>]+")
_NOT_NOW = frozenset([codes.REQUEST_TIMEOUT, codes.TOO_EARLY, codes.TOO_MANY_REQUESTS])

T = TypeVar("T")
R = TypeVar("R")


class ApiKeyRejected(CioError):  # noqa: N818 - named by recovery: mend the key or the region
    """The App API does not take the key."""


class ApiUnavailable(CioError):  # noqa: N818 - named by recovery: run again later
    """The App API did not answer for as long as we try."""


class ApiRefused(CioError):  # noqa: N818 - named by recovery: mend the settings
    """The App API answers in a way that no waiting mends."""


class ApiClient:
    """Connections to one workspace's App API, for one load. Redirects are never followed."""

    def __init__(
        self, settings: ApiSettings, timing: Timing | None = None, *, attempts: int = _ATTEMPTS
    ) -> None:
        """Make ready; nothing is opened yet.

        Args:
            settings: Address and key.
            timing: What tells the time.
            attempts: How often to ask for one thing; with 1, no wait the API asks for is kept.
        """
        self.timing = timing or Timing()
        self.requests = 0
        self._attempts = attempts
        self._settings = settings
        self._bucket = Bucket(self.timing)
        self._halt = threading.Event()
        self._count = threading.Lock()
        self._http = httpx.Client(
            timeout=_TIMEOUT_SECONDS,
            follow_redirects=False,
            # a proxy from the environment has no business between us and this machine
            trust_env=not settings.is_loopback,
        )

    def __enter__(self) -> ApiClient:
        """Enter; `__exit__` closes the connections."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End waits that are under way, and close the connections."""
        self._halt.set()
        self._http.close()

    def get(self, path: str, params: Mapping[str, object] | None = None) -> Answer | None:
        """Ask for something.

        Args:
            path: The path below the base URL; ids in it encoded by `segment`.
            params: The query; encoded here, because an unencoded `+` or `@` gets an empty answer.

        Returns:
            The answer, or nothing if there is no such thing (404).

        Raises:
            ApiKeyRejected: The key or the region is wrong.
            ApiUnavailable: No answer for as long as we try.
            ApiRefused: Anything else that is not an answer.
        """
        return self._ask("GET", path, params, None)

    def post(self, path: str, params: Mapping[str, object], content: object) -> Answer | None:
        """Ask for something with a JSON body; as `get` otherwise."""
        return self._ask("POST", path, params, orjson.dumps(content))

    def each(self, ask: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Ask for many things, some at a time; answers come in the order of the items."""
        pending: deque[Future[R]] = deque()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                for item in items:
                    pending.append(pool.submit(ask, item))
                    if len(pending) > CONNECTIONS:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            except BaseException:
                # one failed, or the reader left: the others need not be waited for
                self._halt.set()
                for future in pending:
                    future.cancel()
                raise

    def _ask(
        self, method: str, path: str, params: Mapping[str, object] | None, content: bytes | None
    ) -> Answer | None:
        number = 0
        started = self.timing.monotonic()
        while True:
            number += 1
            self._bucket.take(self._halt)
            if self._halt.is_set():
                message = "the load was ended; nothing of it counts"
                raise ApiUnavailable(message)
            reply = self._attempt(method, path, params, content)
            if not isinstance(reply, _Later):
                return reply
            is_late = self.timing.monotonic() - started > _GIVE_UP_AFTER_SECONDS
            is_out = number >= self._attempts
            if is_late or (is_out and (reply.wait_seconds is None or self._attempts == 1)):
                message = (
                    f"Customer.io's App API did not answer {method} {path}: {reply.reason}, "
                    f"{number} {'attempt' if number == 1 else 'attempts'}. Nothing was loaded; "
                    "run it again later."
                )
                raise ApiUnavailable(message)
            self._wait(number, reply)

    def _wait(self, number: int, reply: _Later) -> None:
        if reply.wait_seconds is not None:
            # the rate is the workspace's: who else is about to ask waits as well
            self._bucket.pause(reply.wait_seconds)
            return
        longest = min(_FIRST_WAIT_SECONDS * 2 ** (number - 1), _LONGEST_WAIT_SECONDS)
        self.timing.sleep(longest * (0.5 + self.timing.chance() / 2), self._halt)

    def _attempt(
        self, method: str, path: str, params: Mapping[str, object] | None, content: bytes | None
    ) -> Answer | _Later | None:
        with self._count:
            self.requests += 1
        headers = {"Authorization": f"Bearer {self._settings.app_api_key.reveal()}"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self._settings.url}/{path}{query(params or {})}"
        try:
            response = self._http.request(method, url, content=content, headers=headers)
        except httpx.HTTPError as error:
            return _Later(f"no whole reply ({type(error).__name__})")
        return self._read(method, path, response)

    def _read(self, method: str, path: str, response: httpx.Response) -> Answer | _Later | None:
        status = response.status_code
        if status == codes.NOT_FOUND:
            return None
        if status in {codes.UNAUTHORIZED, codes.FORBIDDEN}:
            raise ApiKeyRejected(self._rejected(status))
        if codes.is_server_error(status) or status in _NOT_NOW:
            wait = retry_after(response.headers.get("retry-after"))
            detail = self._hide(explain(response.content))
            return _Later(f"it answered {status}{f' ({detail})' if detail else ''}", wait)
        if not codes.is_success(status):
            detail = self._hide(explain(response.content)) or "no reason given"
            message = (
                f"Customer.io's App API refused {method} {path} ({status}): {detail}. "
                "Nothing was loaded; check the settings of [loaders.customerio]."
            )
            raise ApiRefused(message)
        try:
            document = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            return _Later("it answered with something that is not a JSON object")
        return Answer(document, response.content)

    def _rejected(self, status: int) -> str:
        return (
            f"Customer.io's App API refuses the key ({status}): either it is not an App API key of "
            f"this workspace, or the workspace is not in the region {self._settings.region}. Check "
            f"app_api_key and region under [loaders.{SECTION}] of {SECRETS_FILE}, or "
            f"{variable('loaders', SECTION, 'app_api_key')} and "
            f"{variable('loaders', SECTION, 'region')}."
        )

    def _hide(self, text: str) -> str:
        """The vendor's words, without the key and without e-mail addresses."""
        text = text.replace(self._settings.app_api_key.reveal(), "…")
        return _EMAIL.sub("…", text)[:_LONGEST_DETAIL]


@dataclass(frozen=True)
class _Later:
    """An attempt that may succeed when it is made again."""

    reason: str
    wait_seconds: float | None = None


def segment(value: object) -> str:
    """An id as one segment of a path."""
    return quote(str(value), safe="")


def query(params: Mapping[str, object]) -> str:
    """A query with everything in it encoded, its question mark included."""
    pairs = [
        f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in params.items()
    ]
    return f"?{'&'.join(pairs)}" if pairs else ""
