"""Meta: audiences as custom audiences of an ad account, one for each label.

Only hashes leave; a request carries the same keys for every row, empty where one is missing. Each
request is a session of its own, so that what Meta counted can be told from what was sent; an
audience that is replaced is one session, a request after the other, until the last one closes it.

https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/usersreplace
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Check, Destination, Later, Limits, MatchKeys, Object
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.hashed import encode_cells
from reverse_etl.destinations.meta_api import Graph, MetaSettings
from reverse_etl.destinations.meta_audiences import TERMS, AudienceOptions, open_directory
from reverse_etl.destinations.meta_errors import ABSENT
from reverse_etl.destinations.meta_sessions import Session
from reverse_etl.destinations.replies import failed, read_object
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

SCHEMA = ("EXTERN_ID", "EMAIL", "PHONE", "FN", "LN", "ZIP", "COUNTRY")
# 10,000 rows; a size is not documented, and ten thousand rows of seven digests are under 5 MB
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=2, separator=b",")
_CLOSES = "CLOSE"


@dataclass(frozen=True)
class Audiences:
    """A channel that keeps one custom audience for each label.

    Attributes:
        graph: Where requests go.
        directory: The ad account's audiences.
        limits: What one request may carry.
        sessions: The sessions that replace an audience, by label.
    """

    graph: Graph
    directory: Directory
    limits: Limits
    sessions: Mapping[str, Session] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: MetaSettings, options: AudienceOptions, http: Http) -> Audiences:
        """Open the channel; nothing is asked yet."""
        graph = Graph(settings, http)
        limits = replace(LIMITS, removals=options.removals_per_request)
        return cls(graph, open_directory(graph, options), limits)

    def replacing(self, labels: Collection[str]) -> Audiences:
        """The channel that replaces the audiences of some labels; its requests do not overtake."""
        sessions = {label: Session() for label in labels}
        return replace(self, limits=replace(self.limits, connections=1), sessions=sessions)

    def closing(self, label: str) -> str:
        """The route of the request that ends a session."""
        return f"{_CLOSES} {label}"

    def route(self, change: Change) -> str:
        """Additions and removals of one audience go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A row with a cell for every key."""
        return encode_cells(change, SCHEMA)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the audience, make it if allowed, then add or remove."""
        wait = self.graph.usage.wait()
        if wait is not None:
            reason = "the ad account's hourly rate is nearly spent"
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        found = self.directory.locate(route)
        if not isinstance(found, Located):
            return found
        label = route.partition(" ")[2]
        lasting = None if found.operation == TERMS.removes else self.sessions.get(label)
        session = lasting or Session()
        is_last = lasting is None or found.operation == _CLOSES
        # what is encoded already is not encoded again
        content = b'{"session":%b,"payload":{"schema":%b,"data":%b}}' % (
            session.told(len(records), is_last=is_last),
            orjson.dumps(SCHEMA),
            b"[" + self.limits.join(records) + b"]",
        )
        method, edge = (found.operation, "users") if lasting is None else ("POST", "usersreplace")
        answer = self.graph.request(method, f"{found.audience}/{edge}", content=content)
        if answer == ABSENT and found.is_new:
            return Later("the audience was just made", is_maybe_accepted=False)
        if not isinstance(answer, Answer):
            return answer
        return session.read(read_object(answer) or {}, records)


def check(settings: MetaSettings, http: Http) -> Check:
    """Ask for the token's permissions and for the account's name."""
    graph = Graph(settings, http)
    answer = graph.request("GET", "me/permissions")
    if not isinstance(answer, Answer):
        return failed(answer, "refuses the access token")
    granted = _granted((read_object(answer) or {}).get("data"))
    if "ads_management" not in granted:
        return Check(is_ok=False, message="the access token lacks the permission ads_management")
    answer = graph.request("GET", f"act_{settings.ad_account_id}", params={"fields": "id"})
    if not isinstance(answer, Answer):
        return failed(answer, "refuses the access token")
    return Check(is_ok=True, message="answers, and takes the access token and the ad account")


def _granted(data: object) -> set[str]:
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    return {str(row.get("permission")) for row in rows if row.get("status") == "granted"}


META = Destination(
    name="meta",
    documentation="https://developers.facebook.com/docs/marketing-api/audiences",
    settings=MetaSettings,
    objects={
        "audience_members": Object(
            modes=frozenset(["mirror", "replace"]),
            options=AudienceOptions,
            open=Audiences.open,
            replacing=Audiences.replacing,
            match_keys=MatchKeys("meta_match_keys", ("EXTERN_ID", "EMAIL", "PHONE")),
        ),
    },
    check=check,
)
