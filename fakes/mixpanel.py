"""A strict stand-in of Mixpanel's ingestion API: `/import` for events, `/engage` for profiles.

Without `strict=1` it is as silent as Mixpanel: it drops what is wrong and says that some was taken.

Source: https://docs.mixpanel.com/reference/import-events, /track-event, /profile-batch-update and,
for the one lookup table, /replace-lookup-table. It counts as Mixpanel does: events that agree in
name, time, distinct_id and $insert_id are one event.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from starlette.responses import Response
from starlette.routing import Route

from fakes.control import Control
from fakes.mixpanel_deletions import GDPR_TOKEN, Deletions
from fakes.mixpanel_profiles import apply
from fakes.mixpanel_rules import (
    MAX_RECORD_BYTES,
    MILLISECONDS_FROM,
    Problem,
    event_problem,
    profile_problem,
    read_table,
    track_problem,
)
from fakes.wire import Refusal, basic, reply, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from starlette.requests import Request

TOKEN = "fake-mixpanel-token"  # noqa: S105 - the stand-in's own, of no use elsewhere
SERVICE_ACCOUNT = "fake-user"
SERVICE_SECRET = "fake-mixpanel-secret"  # noqa: S105 - the stand-in's own
PROJECT_ID = "1"
LOOKUP_TABLE_ID = "8c2f5d0e-1f5a-4b53-9a52-6a1b2f4f6c10"

MAX_RECORDS = 2_000
MAX_BYTES = 2_097_152
MAX_STRING = 255
MAX_TABLE_BYTES = 100_000_000


@dataclass
class Project:
    """What the stand-in accepted, in memory and, if asked for, in a file that outlives it."""

    file: IO[bytes] | None = None
    events: dict[str, bytes] = field(default_factory=dict)
    profiles: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: int = 0
    table: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path | None) -> Project:
        """A project with what `path` holds from before."""
        project = cls()
        if path is not None:
            if path.exists():
                for line in path.read_bytes().splitlines():
                    project._restore(line)
            project.file = path.open("ab")
        return project

    def _restore(self, line: bytes) -> None:
        record = orjson.loads(line[1:])
        if line[:1] == b"E":
            self._keep_event(record, line[1:])
        elif line[:1] == b"L":
            self.table = record["rows"]
        else:
            apply(self.profiles, record)

    def _keep_event(self, record: dict[str, Any], raw: bytes) -> None:
        self.received += 1
        self.events[_key(record)] = raw

    def take_events(self, records: list[tuple[dict[str, Any], bytes]]) -> None:
        """Keep events that passed."""
        for record, raw in records:
            self._keep_event(record, raw)
        self._write(b"E", (raw for _, raw in records))

    def take_profiles(self, records: list[dict[str, Any]]) -> None:
        """Apply profile updates that passed, in order."""
        for record in records:
            apply(self.profiles, record)
        if self.file is not None:
            self._write(b"P", (orjson.dumps(record) for record in records))

    def take_table(self, rows: list[dict[str, str]]) -> None:
        """Replace the lookup table."""
        self.table = rows
        self._write(b"L", [orjson.dumps({"rows": rows})])

    def _write(self, kind: bytes, lines: Iterable[bytes]) -> None:
        if self.file is not None:
            self.file.writelines(kind + line + b"\n" for line in lines)
            self.file.flush()


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "project_id": PROJECT_ID,
        "project_token": TOKEN,
        "service_account_username": SERVICE_ACCOUNT,
        "service_account_secret": SERVICE_SECRET,
        "lookup_table_id": LOOKUP_TABLE_ID,
        "gdpr_token": GDPR_TOKEN,
    }


def create_app(
    *,
    store: Path | None = None,
    now: Callable[[], float] = time.time,
    refused: Collection[str] = (),
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        now: The present, in seconds since the epoch.
        refused: Values of distinct_id that it refuses for reasons of its own.

    Returns:
        The app: `/import`, `/track`, `/engage`, deletion tasks, and the control endpoints under
        `/_fake/`.
    """
    vendor = _Mixpanel(Project.open(store), now, refused)
    control = Control()
    control.serve([*vendor.routes(), *Deletions(TOKEN, PROJECT_ID, now).routes()])
    return control


class _Mixpanel:
    def __init__(
        self, project: Project, now: Callable[[], float], refused: Collection[str]
    ) -> None:
        self.project = project
        self.now = now
        self.refused = frozenset(refused)

    def routes(self) -> list[Route]:
        return [
            Route("/import", self.import_events, methods=["POST"]),
            Route("/track", self.track_events, methods=["POST"]),
            Route("/engage", self.engage, methods=["POST"]),
            Route("/lookup-tables/{id}", self.replace_table, methods=["PUT"]),
            Route("/_fake/lookup_table", self.read_table),
            Route("/_fake/events", self.read_events),
            Route("/_fake/profiles", self.read_profiles),
            Route("/_fake/counts", self.read_counts),
        ]

    async def import_events(self, request: Request) -> Response:
        body = await request.body()
        try:
            return self._import(request, body)
        except Refusal as refusal:
            return refusal.response

    def _import(self, request: Request, body: bytes) -> Response:
        self._authenticate(request)
        failed, good = self._take_events(request, body)
        if _asked(request, body, "strict"):
            return _outcome(failed, good)
        return _in_short(request, body, None if good or not failed else failed[0]["message"])

    def _take_events(self, request: Request, body: bytes) -> tuple[list[dict[str, Any]], int]:
        """Keep the events that are good: what is wrong with the others, and how many there were."""
        body = _decode(request, body)
        if len(body) > MAX_BYTES:
            raise Refusal(413, _too_large(f"{MAX_BYTES} bytes"))
        now_ms = int(self.now() * 1000)
        failed, good = [], []
        is_tracked = request.url.path == "/track"
        for index, (record, raw) in enumerate(_records(request, body)):
            if is_tracked:
                # its own clients send seconds with a fraction
                _cut_time(record)
            problem = event_problem(record, now_ms=now_ms)
            if problem is None and record["properties"]["distinct_id"] in self.refused:
                problem = Problem("properties.distinct_id", "'properties.distinct_id' is refused")
            if len(raw) >= MAX_RECORD_BYTES:
                problem = Problem("", "record exceeds 1 MB")
            if problem is None and is_tracked:
                problem = track_problem(record, token=TOKEN, now_ms=now_ms)
            if problem is None:
                good.append((record, raw))
            else:
                failed.append(_failed(index, problem, insert_id=_insert_id(record)))
        self.project.take_events(good)
        return failed, len(good)

    async def track_events(self, request: Request) -> Response:
        """Events of the last days; each bears the project's token."""
        body = await request.body()
        try:
            failed, good = self._take_events(request, body)
        except Refusal as refusal:
            return refusal.response
        return _in_short(request, body, None if good else failed[0]["message"])

    async def engage(self, request: Request) -> Response:
        body = await request.body()
        try:
            return self._engage(request, body)
        except Refusal as refusal:
            return refusal.response

    def _engage(self, request: Request, body: bytes) -> Response:
        if request.headers.get("content-encoding"):
            raise Refusal(400, {"status": 0, "error": "content encoding is not supported"})
        pairs = _records(request, body)
        problems = [
            Problem("", "record exceeds 1 MB")
            if len(raw) >= MAX_RECORD_BYTES
            else profile_problem(record, token=TOKEN)
            for record, raw in pairs
        ]
        for index, (record, _) in enumerate(pairs):
            if problems[index] is None and record["$distinct_id"] in self.refused:
                problems[index] = Problem("$distinct_id", "'$distinct_id' is refused")
        if all(problem is not None and problem.field == "$token" for problem in problems):
            return reply({"status": 0, "error": "Invalid credentials"}, 401)
        good = [pair[0] for pair, bad in zip(pairs, problems, strict=True) if bad is None]
        failed = [_failed(i, bad) for i, bad in enumerate(problems) if bad is not None]
        self.project.take_profiles(good)
        if _asked(request, body, "strict"):
            return _outcome(failed, len(good))
        return _in_short(request, body, failed[0]["message"] if failed else None)

    async def replace_table(self, request: Request) -> Response:
        """All or nothing: a table with a bad row stays as it was."""
        body = await request.body()
        try:
            self._authenticate(request)
            self.project.take_table(self._table(request, body))
        except Refusal as refusal:
            return refusal.response
        return reply({"code": 200, "status": "OK"})

    def _table(self, request: Request, body: bytes) -> list[dict[str, str]]:
        if basic(request)[0] != SERVICE_ACCOUNT:
            raise Refusal(403, {"code": 403, "error": "service account required"})
        if request.path_params["id"] != LOOKUP_TABLE_ID:
            raise Refusal(404, {"code": 404, "error": "lookup table not found"})
        if request.headers.get("content-type", "").partition(";")[0] != "text/csv":
            raise Refusal(400, _bad("unsupported content type"))
        content = _decode(request, body)
        if len(content) > MAX_TABLE_BYTES:
            raise Refusal(413, _too_large(f"{MAX_TABLE_BYTES} bytes"))
        rows, failed = read_table(content)
        if failed:
            raise Refusal(400, _bad("some rows failed") | {"failed_records": failed[:10]})
        return rows

    async def read_table(self, _request: Request) -> Response:
        return reply(self.project.table)

    def _authenticate(self, request: Request) -> None:
        user, secret = basic(request)
        if (user, secret) == (TOKEN, ""):
            return
        is_account = (user, secret) == (SERVICE_ACCOUNT, SERVICE_SECRET)
        if not is_account or request.query_params.get("project_id") != PROJECT_ID:
            body = {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"}
            raise Refusal(401, body)

    async def read_events(self, _request: Request) -> Response:
        events = [_truncated(orjson.loads(raw)) for raw in self.project.events.values()]
        return reply(events)

    async def read_profiles(self, _request: Request) -> Response:
        return reply(self.project.profiles)

    async def read_counts(self, _request: Request) -> Response:
        project = self.project
        counts = {"events": len(project.events), "received": project.received}
        return reply(counts | {"profiles": len(project.profiles)})


def _bad(error: str) -> dict[str, Any]:
    return {"code": 400, "error": error, "status": "Bad Request"}


def _too_large(limit: str) -> dict[str, Any]:
    error = f"request exceeds max limit of {limit}"
    return {"code": 413, "error": error, "status": "Request Entity Too Large"}


def _failed(index: int, problem: Problem, **more: str) -> dict[str, Any]:
    return {"index": index, **more, "field": problem.field, "message": problem.message}


def _insert_id(record: object) -> str:
    properties = record.get("properties") if isinstance(record, dict) else None
    insert_id = properties.get("$insert_id") if isinstance(properties, dict) else None
    return insert_id if isinstance(insert_id, str) else ""


def _outcome(failed: list[dict[str, Any]], imported: int) -> Response:
    if not failed:
        return reply({"code": 200, "num_records_imported": imported, "status": "OK"})
    return reply(
        {
            "code": 400,
            "error": "some data points in the request failed validation",
            "failed_records": failed,
            "num_records_imported": imported,
            "status": "Bad Request",
        },
        400,
    )


def _cut_time(record: object) -> None:
    properties = record.get("properties") if isinstance(record, dict) else None
    if isinstance(properties, dict) and isinstance(properties.get("time"), float):
        properties["time"] = int(properties["time"])


def _asked(request: Request, body: bytes, name: str) -> bool:
    """Whether a parameter is 1, in the query or in a form."""
    if request.query_params.get(name) == "1":
        return True
    is_form = request.headers.get("content-type", "").endswith("urlencoded")
    return is_form and parse_qs(body.decode()).get(name) == ["1"]


def _in_short(request: Request, body: bytes, error: str | None) -> Response:
    """The reply of calls that are not strict: a digit, or in a few words if asked."""
    status = 1 if error is None else 0
    if _asked(request, body, "verbose"):
        return reply({"status": status, "error": error})
    return Response(str(status), media_type="text/plain")


def _decode(request: Request, body: bytes) -> bytes:
    unpacked = unpack(request, body)
    if unpacked is None:
        raise Refusal(400, _bad("unsupported content encoding, or not what it says"))
    return unpacked


def _records(request: Request, body: bytes) -> list[tuple[Any, bytes]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if kind == "application/x-ndjson":
            lines = [line for line in body.split(b"\n") if line]
            pairs = [(orjson.loads(line), line) for line in lines]
        elif kind in {"application/json", "application/x-www-form-urlencoded"}:
            if kind.endswith("urlencoded"):
                body = parse_qs(body.decode(), keep_blank_values=True).get("data", [""])[0].encode()
            parsed = orjson.loads(body)
            items = parsed if isinstance(parsed, list) else [parsed]
            pairs = [(item, orjson.dumps(item)) for item in items]
        else:
            raise Refusal(400, _bad("unsupported content type"))
    except (orjson.JSONDecodeError, UnicodeDecodeError):
        raise Refusal(400, _bad("body is not valid JSON")) from None
    if not pairs:
        raise Refusal(400, _bad("no records"))
    if len(pairs) > MAX_RECORDS:
        raise Refusal(413, _too_large(f"{MAX_RECORDS} records"))
    return pairs


def _key(record: dict[str, Any]) -> str:
    properties = record["properties"]
    instant = properties["time"]
    if instant < MILLISECONDS_FROM:
        instant *= 1000
    return f"{record['event']}\0{instant}\0{properties['distinct_id']}\0{properties['$insert_id']}"


def _truncated(event: dict[str, Any]) -> dict[str, Any]:
    properties = {
        name: value[:MAX_STRING] if isinstance(value, str) else value
        for name, value in event["properties"].items()
    }
    return {"event": event["event"], "properties": properties}
