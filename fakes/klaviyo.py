"""A strict stand-in of Klaviyo's API: profiles, lists, and bulk imports with their errors.

An import is processed after it was taken, and some of its profiles may fail then: the job counts
them, and its errors are read apart. Nothing here subscribes anybody: that path is not served.

Source: https://github.com/klaviyo/openapi (stable, revision 2026-07-15). How an import's errors
name a profile is not documented: it is set here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from fakes.control import Control
from fakes.klaviyo_rules import (
    check_deletion,
    check_import,
    check_members,
    check_revision,
    read_filter,
    read_size,
    refusal,
)
from fakes.wire import Refusal, Store, parse, reply
from fakes.world.people import settle

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from fakes.world.settings import WorldSettings

API_KEY = "pk_fake_klaviyo_key"
PRIVACY_KEY = "pk_fake_klaviyo_privacy_key"
ACCOUNT = "FaKe01"
SCOPES = frozenset(
    {"accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write"}
)
PRIVACY_SCOPES = frozenset({"profiles:read", "data-privacy:write"})
_KEYS = ("email", "external_id")
_TYPES = ("application/vnd.api+json", "application/json")

Json = dict[str, Any]


def settings(address: str) -> dict[str, str]:
    """What the destination is to be configured with, to send here."""
    return {
        "base_url": address,
        "api_key": API_KEY,
        "account_id": ACCOUNT,
        "privacy_key": PRIVACY_KEY,
    }


def settle_profiles(world: WorldSettings) -> list[Mapping[str, str]]:
    """Profiles of everybody in a world who has an address."""
    profiles = settle(world).profiles
    pairs = zip(profiles.email.to_pylist(), profiles.customer_id.to_pylist(), strict=True)
    return [
        {"email": email} | ({"external_id": name} if name else {}) for email, name in pairs if email
    ]


@dataclass(frozen=True)
class Manners:
    """How the stand-in behaves beyond what everybody meets.

    Attributes:
        refused: Identifiers of profiles that fail when an import is processed.
        polls: How often a job is asked for before it is processed.
        names: How errors name a profile: `payload`, `pointer` or `nothing`.
        scopes: What the key may do.
    """

    refused: frozenset[str] = frozenset()
    polls: int = 0
    names: str = "payload"
    scopes: frozenset[str] = SCOPES


def create_app(
    *,
    store: Path | None = None,
    refused: Collection[str] = (),
    people: Iterable[Mapping[str, str]] = (),
    manners: Manners | None = None,
) -> Control:
    """The stand-in as an ASGI app.

    Args:
        store: A file that keeps what was accepted over a restart.
        refused: Identifiers of profiles that fail when an import is processed.
        people: Attributes of the profiles that are there before anything is sent.
        manners: How it behaves, in place of `refused`.

    Returns:
        The app, with the paths of accounts, lists, profiles and bulk imports, and the control
        endpoints under `/_fake/`.
    """
    vendor = _Klaviyo(Store(store), manners or Manners(refused=frozenset(refused)))
    for attributes in people:
        vendor.keep_profile(dict(attributes))
    vendor.replay()
    control = Control()
    control.serve(vendor.routes())
    return control


@dataclass
class _Job:
    """An import: how often it is asked for before it is done, and what failed."""

    polls: int
    profiles: list[Json]
    lists: list[str]
    errors: list[Json] = field(default_factory=list)
    is_done: bool = False


class _Klaviyo:
    def __init__(self, store: Store, manners: Manners) -> None:
        self.store = store
        self.manners = manners
        self.profiles: dict[str, Json] = {}
        self.index: dict[tuple[str, str], str] = {}
        self.lists: dict[str, str] = {}
        self.members: dict[str, set[str]] = {}
        self.jobs: dict[str, _Job] = {}
        self.deleted: list[Json] = []

    def replay(self) -> None:
        """Take in again what was accepted before."""
        for change in self.store.read():
            self._keep(change)

    def routes(self) -> list[Route]:
        serve = self._serve
        members = "/api/lists/{id}/relationships/profiles"
        jobs = "/api/profile-bulk-import-jobs"
        return [
            Route("/api/accounts", serve(self.read_account, "accounts:read")),
            Route("/api/lists", serve(self.read_lists, "lists:read"), methods=["GET"]),
            Route("/api/lists", serve(self.make_list, "lists:write"), methods=["POST"]),
            Route("/api/lists/{id}", serve(self.read_list, "lists:read")),
            Route(members, serve(self.change_members, "lists:write"), methods=["POST", "DELETE"]),
            Route("/api/profiles", serve(self.read_profiles, "profiles:read"), methods=["GET"]),
            Route(jobs, serve(self.start_import, "profiles:write"), methods=["POST"]),
            Route(jobs + "/{id}", serve(self.read_job, "profiles:read")),
            Route(jobs + "/{id}/import-errors", serve(self.read_errors, "profiles:read")),
            Route(
                "/api/data-privacy-deletion-jobs",
                serve(self.delete_profile, "data-privacy:write"),
                methods=["POST"],
            ),
            Route("/_fake/deletions", self.show_deleted),
            Route("/_fake/lists", self.show_lists),
            Route("/_fake/profiles", self.show_profiles),
        ]

    def _serve(
        self, handle: Callable[[Request, Any, int], tuple[int, Json | None]], scope: str
    ) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                self._admit(request, scope)
                status, answer = handle(request, parse(body) if body else {}, len(body))
            except Refusal as refused:
                return refused.response
            return Response(status_code=status) if answer is None else reply(answer, status)

        return endpoint

    def _admit(self, request: Request, scope: str) -> None:
        key = request.headers.get("authorization", "").removeprefix("Klaviyo-API-Key ")
        scopes = {API_KEY: self.manners.scopes, PRIVACY_KEY: PRIVACY_SCOPES}.get(key)
        if scopes is None:
            raise refusal(401, "authentication_failed", "Incorrect authentication credentials.")
        if scope not in scopes:
            detail = "The API key specified does not have the required scopes."
            raise refusal(403, "permission_denied", detail)
        check_revision(request.headers.get("revision", ""))
        kind = request.headers.get("content-type", "").partition(";")[0]
        if request.method != "GET" and kind not in _TYPES:
            raise refusal(415, "unsupported_media_type", "Unsupported media type in request.")

    def read_account(self, _request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        return 200, {"data": [{"type": "account", "id": ACCOUNT, "attributes": {}}]}

    def read_lists(self, request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        rows = [
            {"type": "list", "id": each, "attributes": {"name": name}}
            for each, name in self.lists.items()
        ]
        return 200, _page(request, rows, most=10, usual=10)

    def read_list(self, request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        found = str(request.path_params["id"])
        if found not in self.lists:
            raise refusal(404, "not_found", f"A list with id {found} does not exist.")
        attributes: Json = {"name": self.lists[found]}
        if request.query_params.get("additional-fields[list]") == "profile_count":
            attributes["profile_count"] = len(self.members[found])
        return 200, {"data": {"type": "list", "id": found, "attributes": attributes}}

    def make_list(self, _request: Request, body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        data = body.get("data") if isinstance(body, dict) else None
        attributes = data.get("attributes") if isinstance(data, dict) else None
        name = attributes.get("name") if isinstance(attributes, dict) else None
        is_list = isinstance(data, dict) and data.get("type") == "list"
        if not isinstance(name, str) or not name or not is_list:
            raise refusal(400, "invalid", "A list needs a name.", "/data/attributes/name")
        made = f"L{len(self.lists):05d}"
        self._take({"list": made, "name": name})
        return 201, {"data": {"type": "list", "id": made, "attributes": {"name": name}}}

    def change_members(self, request: Request, body: Any, _size: int) -> tuple[int, None]:  # noqa: ANN401 - any JSON
        found = str(request.path_params["id"])
        if found not in self.lists:
            raise refusal(404, "not_found", f"A list with id {found} does not exist.")
        people = check_members(body)
        if strangers := [each for each in people if each not in self.profiles]:
            raise refusal(404, "not_found", f"A profile with id {strangers[0]} does not exist.")
        operation = "add" if request.method == "POST" else "remove"
        self._take({"list": found, "operation": operation, "profiles": people})
        return 204, None

    def read_profiles(self, request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        found: Iterable[str] = self.profiles
        if text := request.query_params.get("filter"):
            key, values = read_filter(text, ("id", *_KEYS))
            folded = (_folded(key, value) for value in values)
            ids = values if key == "id" else {self.index.get((key, each), "") for each in folded}
            found = sorted(ids & self.profiles.keys())
        rows = [
            {"type": "profile", "id": each, "attributes": self.profiles[each]} for each in found
        ]
        return 200, _page(request, rows, most=100, usual=20)

    def start_import(self, _request: Request, body: Any, size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        profiles, lists = check_import(body, size)
        if unknown := [each for each in lists if each not in self.lists]:
            pointer = "/data/relationships/lists/data/0/id"
            raise refusal(400, "invalid", f"List {unknown[0]} does not exist.", pointer)
        job = f"job-{len(self.jobs)}"
        self.jobs[job] = _Job(self.manners.polls, profiles, lists)
        return 202, {"data": self._described(job)}

    def read_job(self, request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        job = self._find(request)
        if self.jobs[job].polls > 0:
            self.jobs[job].polls -= 1
        elif not self.jobs[job].is_done:
            self._process(self.jobs[job])
        return 200, {"data": self._described(job)}

    def read_errors(self, request: Request, _body: Any, _size: int) -> tuple[int, Json]:  # noqa: ANN401 - any JSON
        errors = self.jobs[self._find(request)].errors
        return 200, _page(request, errors, most=100, usual=20)

    def delete_profile(self, _request: Request, body: Any, _size: int) -> tuple[int, None]:  # noqa: ANN401 - any JSON
        key, value = check_deletion(body)
        found = value if key == "id" else self.index.get((key, _folded(key, value)), "")
        if found in self.profiles:
            self._take({"deleted": found})
        return 202, None

    def _find(self, request: Request) -> str:
        job = str(request.path_params["id"])
        if job not in self.jobs:
            raise refusal(404, "not_found", f"A job with id {job} does not exist.")
        return job

    def _described(self, name: str) -> Json:
        job = self.jobs[name]
        attributes = {
            "status": "complete" if job.is_done else "processing",
            "total_count": len(job.profiles),
            "completed_count": len(job.profiles) if job.is_done else 0,
            "failed_count": len(job.errors),
        }
        return {"type": "profile-bulk-import-job", "id": name, "attributes": attributes}

    def _process(self, job: _Job) -> None:
        done = []
        for place, profile in enumerate(job.profiles):
            attributes = dict(profile["attributes"])
            if any(attributes.get(key) in self.manners.refused for key in _KEYS):
                job.errors.append(self._error(place, profile, len(job.errors)))
                continue
            change = {"profile": profile.get("id"), "attributes": attributes}
            self.store.add([change])
            done.append(self._keep(change))
        for each in job.lists if done else ():
            self._take({"list": each, "operation": "add", "profiles": done})
        job.is_done = True

    def _error(self, place: int, profile: Json, number: int) -> Json:
        who = next(profile["attributes"][key] for key in _KEYS if key in profile["attributes"])
        attributes: Json = {
            "code": "invalid",
            "title": "Invalid input",
            "detail": f"{who} is invalid.",
            "source": {"pointer": "/data"},
            "original_payload": None,
        }
        if self.manners.names == "payload":
            attributes["original_payload"] = profile
        elif self.manners.names == "pointer":
            pointer = f"/data/attributes/profiles/data/{place}/attributes/email"
            attributes["source"] = {"pointer": pointer}
        return {"type": "import-error", "id": f"error-{number}", "attributes": attributes}

    def _take(self, change: Json) -> None:
        """Apply a change, and keep it over a restart."""
        self._keep(change)
        self.store.add([change])

    def _keep(self, change: Json) -> str:
        if "deleted" in change:
            return self._forget(change["deleted"])
        if "attributes" in change:
            return self.keep_profile(change["attributes"], change["profile"])
        if "name" in change:
            self.lists[change["list"]] = change["name"]
            self.members[change["list"]] = set()
        elif change["operation"] == "add":
            self.members[change["list"]].update(change["profiles"])
        else:
            self.members[change["list"]].difference_update(change["profiles"])
        return str(change["list"])

    def keep_profile(self, attributes: Json, profile: str | None = None) -> str:
        """Make or update a profile: the one of its id, else of one of its identifiers."""
        named = [
            (key, _folded(key, attributes[key])) for key in _KEYS if attributes.get(key) is not None
        ]
        known = [self.index[pair] for pair in named if pair in self.index]
        found = profile or (known[0] if known else f"P{len(self.profiles):06d}")
        before = self.profiles.get(found, {})
        custom = before.get("properties", {}) | attributes.get("properties", {})
        given = {key: value for key, value in attributes.items() if value is not None}
        self.profiles[found] = before | given | {"properties": custom}
        self.index.update(dict.fromkeys(named, found))
        return found

    def _forget(self, profile: str) -> str:
        self.deleted.append(self.profiles.pop(profile))
        self.index = {pair: each for pair, each in self.index.items() if each != profile}
        for members in self.members.values():
            members.discard(profile)
        return profile

    async def show_deleted(self, _request: Request) -> Response:
        return reply(self.deleted)

    async def show_lists(self, _request: Request) -> Response:
        return reply(
            {
                name: [self.profiles[each] for each in sorted(self.members[found])]
                for found, name in self.lists.items()
            }
        )

    async def show_profiles(self, _request: Request) -> Response:
        return reply(list(self.profiles.values()))


def _folded(key: str, identifier: str) -> str:
    return identifier.lower() if key == "email" else identifier


def _page(request: Request, rows: list[Json], *, most: int, usual: int) -> Json:
    """One page of a collection, with the address of the next; a cursor is a place in the rows."""
    size = read_size(request.query_params.get("page[size]", str(usual)), most)
    start = int(request.query_params.get("page[cursor]", "0"))
    links: Json = {"self": str(request.url), "next": None}
    if start + size < len(rows):
        query = dict(request.query_params) | {"page[cursor]": str(start + size)}
        links["next"] = f"{request.url.replace(query='')}?{urlencode(query)}"
    return {"data": rows[start : start + size], "links": links}
