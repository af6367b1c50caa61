"""The deletion jobs of the stand-in of Amplitude.

A job waits for its day, some eleven days from now, as Amplitude's do; until it runs everything
stays, and new events are taken. `GET /_fake/deletions` has what was asked, `POST` says how far all
jobs are.

Source: https://amplitude.com/docs/apis/analytics/user-privacy
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.wire import Refusal, basic, parse, reply

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from starlette.requests import Request
    from starlette.responses import Response

MAX_USERS = 100
DAYS_AHEAD = 11
MOST_DAYS = 183
_SPAN = ("start_day", "end_day")
_FLAGS = ("ignore_invalid_id", "delete_from_org", "include_mapped_user_ids")


class Deletions:
    """The jobs of one project."""

    def __init__(
        self, *, keys: tuple[str, str], unknown: Collection[str], now: Callable[[], float]
    ) -> None:
        """Take jobs for the project of an API key and a secret key; `unknown` ids are nobody's."""
        self.keys = keys
        self.unknown = unknown
        self.now = now
        self.jobs: list[dict[str, Any]] = []
        self.state = "staging"

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/api/2/deletions/users", self.create, methods=["POST"]),
            Route("/api/2/deletions/users", self.tell, methods=["GET"]),
            Route("/_fake/deletions", self.read),
            Route("/_fake/deletions", self.advance, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Add users to the job of a day."""
        try:
            body = self._checked(request, parse(await request.body()))
        except Refusal as refusal:
            return refusal.response
        today = self._day() - timedelta(days=DAYS_AHEAD)
        users = [each for each in body["user_ids"] if each not in self.unknown]
        self.jobs.append({"user_ids": users, "requester": body.get("requester")})
        return reply(
            {
                "day": str(self._day()),
                "status": self.state,
                "amplitude_ids": [
                    {
                        "amplitude_id": 1_000_000 + index,
                        "requested_on_day": str(today),
                        "requester": body.get("requester", ""),
                    }
                    for index, _ in enumerate(users)
                ],
            }
        )

    async def tell(self, request: Request) -> Response:
        """The jobs of some days."""
        if basic(request) != self.keys:
            return Refusal(401, {"error": "unauthorized"}).response
        try:
            first, last = (date.fromisoformat(request.query_params[key]) for key in _SPAN)
        except (KeyError, ValueError):
            return Refusal(400, {"error": "start_day and end_day are days"}).response
        if not timedelta() <= last - first <= timedelta(days=MOST_DAYS):
            return Refusal(400, {"error": "at most six months"}).response
        is_there = bool(self.jobs) and first <= self._day() <= last
        job = {"day": str(self._day()), "status": self.state, "amplitude_ids": []}
        return reply([job] if is_there else [])

    async def advance(self, request: Request) -> Response:
        """Let every job be this far: a text."""
        self.state = str(parse(await request.body()))
        return reply(self.jobs)

    def _day(self) -> date:
        return datetime.fromtimestamp(self.now(), UTC).date() + timedelta(days=DAYS_AHEAD)

    def _checked(self, request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        if basic(request) != self.keys:
            raise Refusal(401, {"error": "unauthorized"})
        ids = body.get("user_ids") if isinstance(body, dict) else None
        if not isinstance(ids, list) or not all(isinstance(each, str) and each for each in ids):
            raise Refusal(400, {"error": "user_ids must be a list of texts"})
        if not 1 <= len(ids) <= MAX_USERS:
            raise Refusal(400, {"error": f"user_ids must have 1 to {MAX_USERS} values"})
        if any(str(body.get(flag, "false")).lower() not in {"true", "false"} for flag in _FLAGS):
            raise Refusal(400, {"error": "a flag is neither true nor false"})
        is_lenient = str(body.get("ignore_invalid_id", "false")).lower() == "true"
        if not is_lenient and any(each in self.unknown for each in ids):
            raise Refusal(400, {"error": "Invalid user ids"})
        found: dict[str, Any] = body
        return found

    async def read(self, _request: Request) -> Response:
        """What was asked."""
        return reply(self.jobs)
