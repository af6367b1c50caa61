"""The deletion tasks of the stand-in of Mixpanel.

A task is taken and is `PENDING`, as Mixpanel's are for weeks, until `POST /_fake/deletions` says
how far all are; `GET` has what was asked for. The reference: an OAuth token of a person, the
project's token in the query, 1 to 1,999 ids.

Source: https://docs.mixpanel.com/reference/gdpr-api
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.wire import Refusal, parse, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

GDPR_TOKEN = "fake-mixpanel-gdpr-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
MAX_IDS = 1_999
COMPLIANCE = ("GDPR", "CCPA")
REQUESTER = "owner@example.com"


class Deletions:
    """The tasks of one project."""

    def __init__(self, token: str, project_id: str, now: Callable[[], float]) -> None:
        """Take tasks for the project of a token."""
        self.token = token
        self.project_id = project_id
        self.now = now
        self.tasks: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/api/app/data-deletions/v3.0/", self.create, methods=["POST"]),
            Route("/api/app/data-deletions/v3.0/{task}", self.tell, methods=["GET"]),
            Route("/_fake/deletions", self.read),
            Route("/_fake/deletions", self.advance, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make a task."""
        try:
            body = self._checked(request, parse(await request.body()))
        except Refusal as refusal:
            return refusal.response
        at = datetime.fromtimestamp(self.now(), UTC).replace(tzinfo=None)
        task = {
            "status": "PENDING",
            "disclosure_type": "DATA",
            "date_requested": at.isoformat(),
            "tracking_id": f"15837929347193929{len(self.tasks):02}",
            "project_id": int(self.project_id),
            "compliance_type": body.get("compliance_type", "GDPR").lower(),
            "destination_url": None,
            "requesting_user": REQUESTER,
            "distinct_id_count": len(body["distinct_ids"]),
        }
        self.tasks.append(task | {"distinct_ids": body["distinct_ids"]})
        return reply({"status": "ok", "results": [task]})

    async def tell(self, request: Request) -> Response:
        """How far a task is."""
        try:
            self._admit(request)
        except Refusal as refusal:
            return refusal.response
        found = [one for one in self.tasks if one["tracking_id"] == request.path_params["task"]]
        if not found:
            return Refusal(404, _error("no such task")).response
        return reply({"status": "ok", "results": found[0]})

    async def advance(self, request: Request) -> Response:
        """Let every task be this far: a text."""
        state = str(parse(await request.body()))
        self.tasks = [task | {"status": state} for task in self.tasks]
        return reply(self.tasks)

    def _admit(self, request: Request) -> None:
        if request.headers.get("authorization") != f"Bearer {GDPR_TOKEN}":
            raise Refusal(401, _error("Invalid OAuth token"))
        if request.query_params.get("token") != self.token:
            raise Refusal(403, _error("no access to this project"))

    def _checked(self, request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        self._admit(request)
        ids = body.get("distinct_ids") if isinstance(body, dict) else None
        if not isinstance(ids, list) or not all(isinstance(each, str) and each for each in ids):
            raise Refusal(400, _error("distinct_ids must be a list of texts"))
        if not 1 <= len(ids) <= MAX_IDS:
            raise Refusal(400, _error(f"distinct_ids must have 1 to {MAX_IDS} values"))
        if body.get("compliance_type", "GDPR") not in COMPLIANCE:
            raise Refusal(400, _error("compliance_type must be GDPR or CCPA"))
        found: dict[str, Any] = body
        return found

    async def read(self, _request: Request) -> Response:
        """What was asked."""
        return reply(self.tasks)


def _error(text: str) -> dict[str, Any]:
    return {"status": "error", "error": text}
