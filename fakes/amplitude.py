"""A strict stand-in of Amplitude: `/2/httpapi` and `/batch`, `/identify`, `/api/3/cohorts`.

A 400 takes nothing; HTTP V2 lists the first bad event of each field, `/batch` all of them. Nobody
may have more events a second, or a day, than the endpoint allows. Ids in cohorts must be known:
those it is told to refuse are not, as if they had never sent an event. `/identify` takes a form and
nothing else, and answers with a word.

Source: https://amplitude.com/docs/apis/analytics/http-v2,
https://amplitude.com/docs/apis/analytics/batch-event-upload,
https://amplitude.com/docs/apis/analytics/identify and
https://amplitude.com/docs/apis/analytics/behavioral-cohorts
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fakes.amplitude_cohorts import Cohorts
from fakes.amplitude_deletions import Deletions
from fakes.amplitude_rules import (
    INVALID,
    MIN_ID_LENGTH,
    Problem,
    event_problem,
    identification_problem,
)
from fakes.control import Control
from fakes.wire import Refusal, Store, basic, parse, reply, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

API_KEY = "fake-amplitude-api-key"
SECRET_KEY = "fake-amplitude-secret-key"  # noqa: S105 - the stand-in's own, of no use elsewhere
APP_ID = 153957
OWNER = "owner@example.com"
DAILY_QUOTA = 500_000


@dataclass(frozen=True)
class Endpoint:
    """A way in for events, and its limits."""

    most_events: int
    most_bytes: int
    events_per_second: int
    lists_all: bool


HTTP_V2 = Endpoint(1_999, 1_000_000, 30, lists_all=False)
BATCH = Endpoint(2_000, 20_000_000, 1_000, lists_all=True)


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "cohorts_base_url": address,
        "api_key": API_KEY,
        "secret_key": SECRET_KEY,
        "app_id": str(APP_ID),
        "owner": OWNER,
    }


def create_app(
    *,
    store: Path | None = None,
    now: Callable[[], float] = time.time,
    refused: Collection[str] = (),
    daily_quota: int = DAILY_QUOTA,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        now: The present, in seconds since the epoch.
        refused: User ids that it refuses in events and identifications, and does not know in
            cohorts.
        daily_quota: Most events of a person in a day.

    Returns:
        The app, with `/2/httpapi`, `/batch`, `/identify`, `/api/3/cohorts`, deletion jobs, and the
        control endpoints under `/_fake/`.
    """
    vendor = _Amplitude(Store(store), now, frozenset(refused), daily_quota)
    deletions = Deletions(keys=(API_KEY, SECRET_KEY), unknown=frozenset(refused), now=now)
    control = Control()
    control.serve([*vendor.routes(), *deletions.routes()])
    return control


class _Amplitude:
    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        refused: frozenset[str],
        daily_quota: int,
    ) -> None:
        self.store = store
        self.now = now
        self.refused = refused
        self.daily_quota = daily_quota
        self.events: dict[tuple[str, str], dict[str, Any]] = {}
        self.rates: Counter[tuple[str, int]] = Counter()
        self.days: Counter[tuple[str, int]] = Counter()
        self.properties: dict[str, dict[str, Any]] = {}
        self.cohorts = Cohorts(app_id=APP_ID, owner=OWNER, unknown=refused)
        for record in store.read():
            if "event_type" in record:
                self._keep(record)
            elif "user_properties" in record:
                self._describe(record)
            else:
                self.cohorts.keep(**record)

    def routes(self) -> list[Route]:
        return [
            Route("/2/httpapi", self.http_v2, methods=["POST"]),
            Route("/batch", self.batch, methods=["POST"]),
            Route("/identify", self.identify, methods=["POST"]),
            Route("/api/3/cohorts", self.list_cohorts, methods=["GET"]),
            Route("/api/3/cohorts/upload", self.upload, methods=["POST"]),
            Route("/api/3/cohorts/membership", self.change_membership, methods=["POST"]),
            Route("/_fake/events", self.read_events),
            Route("/_fake/properties", self.read_properties),
            Route("/_fake/cohorts", self.read_cohorts),
        ]

    async def http_v2(self, request: Request) -> Response:
        return await self._ingest(request, HTTP_V2)

    async def batch(self, request: Request) -> Response:
        return await self._ingest(request, BATCH)

    async def _ingest(self, request: Request, endpoint: Endpoint) -> Response:
        body = await request.body()
        try:
            content = unpack(request, body)
            events, shortest = _events(content, endpoint)
            self._refuse_bad(events, endpoint, shortest)
            self._throttle(events, endpoint)
        except Refusal as refusal:
            return refusal.response
        self._count(events)
        for event in events:
            self._keep(event)
        self.store.add(events)
        done = {"code": 200, "events_ingested": len(events)}
        return reply(done | {"payload_size_bytes": len(content or b""), "server_upload_time": 0})

    async def identify(self, request: Request) -> Response:
        body = await request.body()
        try:
            given, shortest = _identifications(request, body)
            self._refuse_bad(given, HTTP_V2, shortest, identification_problem)
            self._throttle(given, HTTP_V2)
        except Refusal as refusal:
            return refusal.response
        self._count(given)
        for each in given:
            self._describe(each)
        self.store.add([{"user_properties": {}} | each for each in given])
        return PlainTextResponse("success")

    def _describe(self, given: dict[str, Any]) -> None:
        """Set and unset a user's properties; of the other operations nothing is made here."""
        known = self.properties.setdefault(_person(given), {})
        properties = given.get("user_properties", {})
        is_plain = not any(name.startswith("$") for name in properties)
        known.update(properties if is_plain else properties.get("$set", {}))
        for name in {} if is_plain else properties.get("$unset", {}):
            known.pop(name, None)

    def _refuse_bad(
        self,
        events: list[Any],
        endpoint: Endpoint,
        shortest: int,
        problem_of: Callable[..., Problem | None] = event_problem,
    ) -> None:
        listed: dict[str, dict[str, list[int]]] = {}
        for index, event in enumerate(events):
            problem = problem_of(event, min_id_length=shortest)
            if problem is None and event.get("user_id") in self.refused:
                problem = Problem(INVALID, "user_id")
            if problem is not None:
                indexes = listed.setdefault(problem.kind, {}).setdefault(problem.field, [])
                if endpoint.lists_all or not indexes:
                    indexes.append(index)
        if listed:
            error = "Invalid field values on some events"
            raise Refusal(400, {"code": 400, "error": error, **listed})

    def _throttle(self, events: list[dict[str, Any]], endpoint: Endpoint) -> None:
        """Refuse everything if somebody's events are too many, and say whose."""
        second, day = int(self.now()), int(self.now() // 86_400)
        counts = Counter(_person(event) for event in events)
        rates = {who: self.rates[who, second] + count for who, count in counts.items()}
        busy = {who: rate for who, rate in rates.items() if rate > endpoint.events_per_second}
        days = {who: self.days[who, day] + count for who, count in counts.items()}
        over = {who: count for who, count in days.items() if count > self.daily_quota}
        if not busy and not over:
            return
        body = {
            "code": 429,
            "error": "Too many requests for some devices and users",
            "eps_threshold": endpoint.events_per_second,
            "throttled_devices": {},
            "throttled_users": busy,
            "exceeded_daily_quota_users": over,
            "exceeded_daily_quota_devices": {},
            "throttled_events": [
                index for index, event in enumerate(events) if _person(event) in busy.keys() | over
            ],
        }
        raise Refusal(429, body)

    def _count(self, events: list[dict[str, Any]]) -> None:
        second, day = int(self.now()), int(self.now() // 86_400)
        self.rates.update((_person(event), second) for event in events)
        self.days.update((_person(event), day) for event in events)

    def _keep(self, event: dict[str, Any]) -> None:
        """Keep an event once by its insert_id, as Amplitude does for seven days."""
        if event["event_type"] == "$identify":
            # by the vendor's own clients, in place of a call of `/identify`
            self._describe(event)
            return
        insert_id = event.get("insert_id") or f"generated-{len(self.events)}"
        self.events.setdefault((_person(event), insert_id), event)

    async def list_cohorts(self, request: Request) -> Response:
        return self._cohorts(request, lambda: {"cohorts": self.cohorts.listed()})

    async def upload(self, request: Request) -> Response:
        body = parse(await request.body())
        return self._cohorts(request, lambda: self.cohorts.upload(body, self.store))

    async def change_membership(self, request: Request) -> Response:
        body = parse(await request.body())
        return self._cohorts(request, lambda: self.cohorts.change(body, self.store))

    def _cohorts(self, request: Request, act: Callable[[], dict[str, Any]]) -> Response:
        if basic(request) != (API_KEY, SECRET_KEY):
            return reply({"error": {"http_code": 401, "type": "unauthorized"}}, 401)
        try:
            return reply(act())
        except Refusal as refusal:
            return refusal.response

    async def read_events(self, _request: Request) -> Response:
        return reply(list(self.events.values()))

    async def read_properties(self, _request: Request) -> Response:
        return reply(self.properties)

    async def read_cohorts(self, _request: Request) -> Response:
        return reply({cohort.name: list(cohort.ids) for cohort in self.cohorts.all.values()})


def _person(event: dict[str, Any]) -> str:
    return str(event.get("user_id") or event["device_id"])


def _events(content: bytes | None, endpoint: Endpoint) -> tuple[list[Any], int]:
    """The events of a request, and the shortest id it allows.

    Raises:
        Refusal: It is refused whole.
    """
    if content is not None and len(content) >= endpoint.most_bytes:
        raise Refusal(413, {"code": 413, "error": "Payload too large"})
    body = parse(content)
    if not isinstance(body, dict):
        raise Refusal(400, _bad("Invalid JSON request body"))
    for name in ("api_key", "events"):
        if not body.get(name):
            raise Refusal(400, _bad("Request missing required field") | {"missing_field": name})
    if body["api_key"] != API_KEY:
        raise Refusal(400, _bad(f"Invalid API key: {body['api_key']}"))
    if len(body["events"]) > endpoint.most_events:
        raise Refusal(413, {"code": 413, "error": "Payload too large"})
    options = body.get("options") or {}
    return body["events"], options.get("min_id_length", MIN_ID_LENGTH)


def _identifications(request: Request, body: bytes) -> tuple[list[Any], int]:
    """The objects of an `identify` call, one or several, and the shortest id it allows.

    Raises:
        Refusal: It is refused whole.
    """
    if len(body) >= HTTP_V2.most_bytes:
        raise Refusal(413, {"code": 413, "error": "Payload too large"})
    kind = request.headers.get("content-type", "").partition(";")[0]
    is_form = kind == "application/x-www-form-urlencoded"
    form = {name: texts[0] for name, texts in parse_qs(body.decode()).items()} if is_form else {}
    for name in ("api_key", "identification"):
        if name not in form:
            raise Refusal(400, _bad("Request missing required field") | {"missing_field": name})
    if form["api_key"] != API_KEY:
        raise Refusal(400, _bad(f"Invalid API key: {form['api_key']}"))
    found = parse(form["identification"].encode())
    if not isinstance(found, dict | list):
        raise Refusal(400, _bad("Invalid JSON in identification"))
    given = found if isinstance(found, list) else [found]
    if len(given) > HTTP_V2.most_events:
        raise Refusal(413, {"code": 413, "error": "Payload too large"})
    options = parse(form.get("options", "{}").encode()) or {}
    return given, options.get("min_id_length", MIN_ID_LENGTH)


def _bad(error: str) -> dict[str, Any]:
    return {"code": 400, "error": error}
