"""The regulations of the stand-in of Segment's Public API.

A regulation is taken and waits, as Segment's do for days, until `POST /_fake/regulations` says how
far all are; `GET` has what was asked.

Source: https://docs.segmentapis.com/tag/Deletion-and-Suppression
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from fakes.wire import Refusal, parse, reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

PUBLIC_API_TOKEN = "fake-segment-public-api-token"  # noqa: S105 - the stand-in's own
MAX_SUBJECTS = 5_000
TYPES = frozenset(
    [
        *("DELETE_INTERNAL", "DELETE_ONLY", "SUPPRESS_ONLY", "SUPPRESS_WITH_DELETE"),
        *("SUPPRESS_WITH_DELETE_INTERNAL", "UNSUPPRESS"),
    ]
)
SUBJECTS = frozenset(["OBJECT_ID", "USER_ID"])


class Regulations:
    """The regulations of one workspace."""

    def __init__(self) -> None:
        """Begin with none."""
        self.all: list[dict[str, Any]] = []

    def routes(self) -> list[Route]:
        """The endpoints."""
        return [
            Route("/regulations", self.create, methods=["POST"]),
            Route("/regulations/{regulation}", self.tell, methods=["GET"]),
            Route("/_fake/regulations", self.read),
            Route("/_fake/regulations", self.advance, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make a regulation."""
        try:
            body = _checked(request, parse(await request.body()))
        except Refusal as refusal:
            return refusal.response
        name = f"regulation-{len(self.all) + 1}"
        self.all.append(body | {"id": name, "overallStatus": "INITIALIZED"})
        return reply({"data": {"regulateId": self.all[-1]["id"]}})

    async def tell(self, request: Request) -> Response:
        """How far a regulation is."""
        if request.headers.get("authorization") != f"Bearer {PUBLIC_API_TOKEN}":
            return Refusal(401, _error("unauthorized", "invalid token")).response
        found = [one for one in self.all if one["id"] == request.path_params["regulation"]]
        if not found:
            return Refusal(404, _error("not-found", "no such regulation")).response
        told = {"id": found[0]["id"], "overallStatus": found[0]["overallStatus"]}
        return reply({"data": {"regulation": told | {"streamStatus": []}}})

    async def advance(self, request: Request) -> Response:
        """Let every regulation be this far: a text."""
        state = str(parse(await request.body()))
        self.all = [one | {"overallStatus": state} for one in self.all]
        return reply(self.all)

    async def read(self, _request: Request) -> Response:
        """What was asked."""
        return reply(self.all)


def _checked(request: Request, body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    if request.headers.get("authorization") != f"Bearer {PUBLIC_API_TOKEN}":
        raise Refusal(401, _error("unauthorized", "invalid token"))
    if not isinstance(body, dict) or body.get("regulationType") not in TYPES:
        raise Refusal(400, _error("bad-request", "regulationType is missing or unknown"))
    if body.get("subjectType") not in SUBJECTS:
        raise Refusal(400, _error("bad-request", "subjectType is missing or unknown"))
    ids = body.get("subjectIds")
    if not isinstance(ids, list) or not all(isinstance(each, str) and each for each in ids):
        raise Refusal(400, _error("bad-request", "subjectIds must be a list of texts"))
    if not 1 <= len(ids) <= MAX_SUBJECTS:
        raise Refusal(400, _error("bad-request", f"1 to {MAX_SUBJECTS} subjectIds"))
    found: dict[str, Any] = body
    return found


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"errors": [{"type": kind, "message": message}]}
