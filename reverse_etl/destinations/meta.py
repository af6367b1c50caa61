"""Meta: audiences as custom audiences of an ad account, one for each label.

Only hashes leave; a request carries the same keys for every row, empty where one is missing. Each
request is a session of its own, so that what Meta counted can be told from what was sent. A 200
says nothing of the rows: of those counted as invalid the samples may name some, in no order; where
they name all, those are refused, else the batch is halved until the bad ones stand alone.

https://developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import (
    Check,
    Destination,
    Later,
    Limits,
    MatchKeys,
    Object,
    Stop,
    Taken,
    Unnamed,
)
from reverse_etl.credentials import Secret
from reverse_etl.destinations.hashed import read_match_keys
from reverse_etl.destinations.meta_audiences import AudienceOptions, Lookup
from reverse_etl.destinations.meta_errors import READ, Usage, read_refusal
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

SCHEMA = ("EXTERN_ID", "EMAIL", "PHONE", "FN", "LN", "ZIP", "COUNTRY")
# 10,000 rows; a size is not documented, and ten thousand rows of seven digests are under 5 MB
LIMITS = Limits(10_000, 8_000_000, 2_048, connections=2, separator=b",")
_SESSION_BITS = 62
_NO_AUDIENCE = "has no custom audience by the name of a label, and create is off"
_MOST_SOUGHT = 100
"""Bad rows of a batch that are looked for by halving; more would take thousands of requests."""

_UNDOCUMENTED = "a reply that is not the documented one"


@dataclass(frozen=True)
class MetaSettings:
    """`[reverse_etl.meta]`: a token with the permission ads_management, and an ad account.

    Attributes:
        access_token: Of a system user, best: it does not expire.
        ad_account_id: The ad account's number, without `act_`.
        app_secret: Only where the app demands a proof of it with each call.
        api_version: Of the Graph API; one lives about two years.
        base_url: In place of Meta's.
    """

    access_token: Secret = field(default_factory=lambda: Secret(""))
    ad_account_id: str = ""
    app_secret: Secret = field(default_factory=lambda: Secret(""))
    api_version: str = "v25.0"
    base_url: str = "https://graph.facebook.com"

    def __post_init__(self) -> None:
        """Refuse an account that is no number."""
        if self.ad_account_id and not self.ad_account_id.isdecimal():
            message = "meta: ad_account_id is not a number; give it without act_"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """Where requests go, the version included."""
        return f"{self.base_url.rstrip('/')}/{self.api_version}"

    @property
    def account(self) -> str:
        """The ad account."""
        return self.ad_account_id

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Without a token and an account nothing can be sent."""
        needed = {"access_token": self.access_token, "ad_account_id": self.ad_account_id}
        return tuple(key for key, value in needed.items() if not value)

    def headers(self) -> dict[str, str]:
        """The headers of every request."""
        return {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.access_token.reveal()}",
        }

    def params(self, now: int) -> dict[str, str]:
        """The query of every request: the proof that we hold the app's secret, if there is one.

        https://developers.facebook.com/docs/graph-api/guides/secure-requests
        """
        if not self.app_secret:
            return {}
        instant = str(now)
        text = f"{self.access_token.reveal()}|{instant}".encode()
        proof = hmac.new(self.app_secret.reveal().encode(), text, hashlib.sha256).hexdigest()
        return {"appsecret_proof": proof, "appsecret_time": instant}


@dataclass(frozen=True)
class Audiences:
    """A channel that keeps one custom audience for each label.

    Attributes:
        settings: The destination's settings.
        options: The sync's.
        http: Where requests go.
        limits: What one request may carry.
        known: Ids of audiences by label, as far as they were needed.
        usage: How much of the account's hourly rate is spent.
        turn: Held while an audience is looked up or made.
    """

    settings: MetaSettings
    options: AudienceOptions
    http: Http
    limits: Limits
    known: dict[str, str] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: MetaSettings, options: AudienceOptions, http: Http) -> Audiences:
        """Open the channel; nothing is asked yet."""
        most = options.removals_per_request
        limits = Limits(**{**vars(LIMITS), "removals": most})
        return cls(settings, options, http, limits, dict(options.audience_ids))

    def route(self, change: Change) -> str:
        """Additions and removals of one audience go in requests of their own."""
        operation = "DELETE" if change.operation == "remove" else "POST"
        return f"{operation} {change.label}"

    def encode(self, change: Change) -> bytes:
        """A row with a cell for every key, empty where there is none."""
        keys = read_match_keys(change, SCHEMA)
        return orjson.dumps([keys.get(name, "") for name in SCHEMA])

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the audience, make it if allowed, then add or remove."""
        wait = self.usage.wait()
        if wait is not None:
            reason = "the ad account's hourly rate is nearly spent"
            return Later(reason, is_maybe_accepted=False, wait_seconds=wait)
        operation, _, label = route.partition(" ")
        with self.turn:
            find = Lookup(self.request, self.options, self.settings.ad_account_id, self.known)
            problem = find.make(label) if operation == "POST" else find.find(label)
            if problem is not None:
                return problem
        if label not in self.known:
            # without an audience nobody is in it
            return Taken() if operation == "DELETE" else Stop(_NO_AUDIENCE)
        return self._change(self.known[label], operation, records)

    def _change(self, audience: str, operation: str, records: Sequence[bytes]) -> Reply:
        session = {
            "session_id": secrets.randbits(_SESSION_BITS),
            "batch_seq": 1,
            "last_batch_flag": True,
            "estimated_num_total": len(records),
        }
        # what is encoded already is not encoded again
        content = b'{"session":%b,"payload":{"schema":%b,"data":%b}}' % (
            orjson.dumps(session),
            orjson.dumps(SCHEMA),
            b"[" + self.limits.join(records) + b"]",
        )
        answer = self.request(operation, f"{audience}/users", content=content)
        if not isinstance(answer, Answer):
            return answer
        return _read_counts(answer.json(), records)

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt; a refusal comes back as what it means."""
        query = self.settings.params(milliseconds(self.http.clock.now()) // 1_000) | dict(
            params or {}
        )
        headers = self.settings.headers()
        if method == "GET":
            answer = self.http.get(path, headers=headers, params=query, read=READ)
        else:
            call = self.http.post if method == "POST" else self.http.delete
            answer = call(path, content=content, headers=headers, params=query, read=READ)
        if not isinstance(answer, Answer):
            return answer
        self.usage.note(answer.headers)
        return read_refusal(answer, self.usage) or answer


def _read_counts(body: Any, records: Sequence[bytes]) -> Reply:  # noqa: ANN401 - any JSON
    """What the counts of a reply say of the rows."""
    counts = _counts(body)
    if counts is None:
        return Later(_UNDOCUMENTED, is_maybe_accepted=True)
    received, invalid = counts
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
    channel = Audiences.open(settings, AudienceOptions(), http)
    answer = channel.request("GET", "me/permissions")
    if not isinstance(answer, Answer):
        return _failed(answer)
    granted = _granted(answer.json())
    if "ads_management" not in granted:
        return Check(is_ok=False, message="the access token lacks the permission ads_management")
    answer = channel.request("GET", f"act_{settings.ad_account_id}", params={"fields": "id"})
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
            modes=frozenset(["mirror"]),
            options=AudienceOptions,
            open=Audiences.open,
            match_keys=MatchKeys("meta_match_keys", ("EXTERN_ID", "EMAIL", "PHONE")),
        ),
    },
    check=check,
)
