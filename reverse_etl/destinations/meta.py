"""Meta: audiences as custom audiences of an ad account, one for each label.

Only hashes leave; a request carries the same keys for every row, empty where one is missing. Each
request is a session of its own, so that what Meta counted can be told from what was sent; an
audience that is replaced is one session, a request after the other, until the last one closes it.
A 200 says nothing of the rows: of those counted as invalid the samples may name some, in no order;
where they name all, those are refused, else the batch is halved until the bad ones stand alone.

https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/usersreplace
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import (
    Check,
    Destination,
    Later,
    Limits,
    MatchKeys,
    Object,
    Taken,
    Unnamed,
)
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.hashed import encode_cells
from reverse_etl.destinations.meta_api import Graph, MetaSettings
from reverse_etl.destinations.meta_audiences import TERMS, AudienceOptions, open_directory
from reverse_etl.destinations.meta_errors import ABSENT
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

SCHEMA = ("EXTERN_ID", "EMAIL", "PHONE", "FN", "LN", "ZIP", "COUNTRY")
# 10,000 rows; a size is not documented, and ten thousand rows of seven digests are under 5 MB
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=2, separator=b",")
_SESSION_BITS = 62
_MOST_SOUGHT = 100
"""Bad rows of a batch that are looked for by halving; more would take thousands of requests."""

_UNDOCUMENTED = "a reply that is not the documented one"
_CLOSES = "CLOSE"


@dataclass
class _Session:
    """What Meta counts together.

    Attributes:
        number: Its number, any within the ad account.
        batch: The number of the next request. One whose reply was lost bears the same when it is
            sent again; that Meta tells it by that is documented nowhere, and where it does not, it
            gives the session up.
        received: Rows that Meta counted so far.
        invalid: Those among them that it counted as invalid.
    """

    number: int = field(default_factory=lambda: secrets.randbits(_SESSION_BITS))
    batch: int = 1
    received: int = 0
    invalid: int = 0

    def told(self, rows: int, *, is_last: bool) -> bytes:
        """The session as a request tells of it; of how many there will be only where it ends."""
        session: dict[str, Any] = {
            "session_id": self.number,
            "batch_seq": self.batch,
            "last_batch_flag": is_last,
        }
        return orjson.dumps(session | ({"estimated_num_total": rows} if is_last else {}))


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
    sessions: Mapping[str, _Session] = field(default_factory=dict)

    @classmethod
    def open(cls, settings: MetaSettings, options: AudienceOptions, http: Http) -> Audiences:
        """Open the channel; nothing is asked yet."""
        graph = Graph(settings, http)
        limits = replace(LIMITS, removals=options.removals_per_request)
        return cls(graph, open_directory(graph, options), limits)

    def replacing(self, labels: Collection[str]) -> Audiences:
        """The channel that replaces the audiences of some labels; its requests do not overtake."""
        sessions = {label: _Session() for label in labels}
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
        session = lasting or _Session()
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
        return (
            _read_counts(answer.json(), records, session) if isinstance(answer, Answer) else answer
        )


def _read_counts(body: Any, records: Sequence[bytes], session: _Session) -> Reply:  # noqa: ANN401 - any JSON
    """What the counts of a reply say of the rows, beside what its session had before."""
    counts = _counts(body)
    if counts is None:
        return Later(_UNDOCUMENTED, is_maybe_accepted=True)
    received, invalid = counts[0] - session.received, max(counts[1] - session.invalid, 0)
    session.batch += 1
    session.received, session.invalid = counts
    if received != len(records):
        return _unsure(f"Meta counted {received} of {len(records)} rows", records)
    if invalid == 0:
        return Taken()
    samples = _texts(body.get("invalid_entry_samples"))
    named = [i for i, record in enumerate(records) if any(s in record for s in samples)]
    if len(named) == invalid:
        return Taken(dict.fromkeys(named, "invalid, says Meta"))
    if _MOST_SOUGHT < invalid < received:
        return _unsure(f"{invalid} of {received} rows invalid, too many to look for", records)
    return Unnamed(f"{invalid} of {len(records)} rows invalid, and Meta does not say which")


def _unsure(reason: str, records: Sequence[bytes]) -> Taken:
    return Taken(unsure=dict.fromkeys(range(len(records)), reason))


def _counts(body: Any) -> tuple[int, int] | None:  # noqa: ANN401 - any JSON
    if not isinstance(body, dict):
        return None
    received, invalid = body.get("num_received"), body.get("num_invalid_entries")
    if type(received) is not int or type(invalid) is not int:
        return None
    return received, min(invalid, received)


def _texts(samples: Any) -> list[bytes]:  # noqa: ANN401 - any JSON
    """The samples' digests; they come as a list or as a map, of texts or of rows."""
    if isinstance(samples, dict):
        return [text for pair in samples.items() for text in _texts(list(pair))]
    if isinstance(samples, list):
        return [text for each in samples for text in _texts(each)]
    is_digest = isinstance(samples, str) and len(samples) == hashlib.sha256().digest_size * 2
    return [samples.encode()] if is_digest else []


def check(settings: MetaSettings, http: Http) -> Check:
    """Ask for the token's permissions and for the account's name."""
    graph = Graph(settings, http)
    answer = graph.request("GET", "me/permissions")
    if not isinstance(answer, Answer):
        return _failed(answer)
    granted = _granted(answer.json())
    if "ads_management" not in granted:
        return Check(is_ok=False, message="the access token lacks the permission ads_management")
    answer = graph.request("GET", f"act_{settings.ad_account_id}", params={"fields": "id"})
    if not isinstance(answer, Answer):
        return _failed(answer)
    return Check(is_ok=True, message="answers, and takes the access token and the ad account")


def _granted(body: Any) -> set[str]:  # noqa: ANN401 - any JSON
    data = body.get("data") if isinstance(body, dict) else None
    rows = [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []
    return {str(row.get("permission")) for row in rows if row.get("status") == "granted"}


def _failed(reply: Reply) -> Check:
    message = getattr(reply, "reason", "refuses the access token")
    return Check(is_ok=False, message=message)


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
