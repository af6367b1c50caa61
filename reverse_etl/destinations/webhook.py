"""Any HTTP endpoint of the company's own: signed batches of rows, as JSON lines or one JSON list.

A request is signed as Standard Webhooks describes, which has libraries in most languages: the
headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, an HMAC-SHA256 over both and the
body. The id is a digest of the body, so that a batch sent again bears the same; it is also sent as
`Idempotency-Key`. Rows bear their own `record_key`: a receiver that keeps rows by it can be sent
anything twice.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.clock import milliseconds
from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    Object,
    Refused,
    Stop,
    Taken,
    TooLarge,
    Unnamed,
)
from reverse_etl.credentials import Secret
from reverse_etl.destinations.payloads import iso_instant, read_payload
from reverse_etl.destinations.settings_rules import absent, require_one_of
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

_PREFIX = "whsec_"
_FAULTS = frozenset([400, 422])
# what most web servers take without being told to take more
_ROWS, _BYTES = 1_000, 1_000_000
_LINES = Limits(_ROWS, _BYTES, _BYTES, connections=2, suffix=b"\n")
_LIST = Limits(_ROWS, _BYTES, _BYTES - 2, connections=2, prefix=b"[", separator=b",", suffix=b"]")
_FORMATS = {
    "ndjson": (_LINES, "application/x-ndjson"),
    "json": (_LIST, "application/json"),
}


@dataclass(frozen=True)
class WebhookSettings:
    """`[reverse_etl.webhook]`: the endpoint, and the secret that it knows too."""

    base_url: str = ""
    signing_secret: Secret = field(default_factory=lambda: Secret(""))
    authorization: Secret = field(default_factory=lambda: Secret(""))

    def __post_init__(self) -> None:
        """Refuse a secret that says it is base64 and is not."""
        secret = self.signing_secret.reveal()
        if not secret.startswith(_PREFIX):
            return
        try:
            base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            message = f"webhook: what follows {_PREFIX} in signing_secret is not base64"
            raise UsageError(message) from None

    @property
    def url(self) -> str:
        """The endpoint."""
        return self.base_url

    @property
    def account(self) -> str:
        """The endpoint is all that tells one from another."""
        return ""

    @property
    def key(self) -> bytes:
        """The bytes that sign: of `whsec_` and base64, else of the text."""
        secret = self.signing_secret.reveal()
        if secret.startswith(_PREFIX):
            return base64.b64decode(secret.removeprefix(_PREFIX))
        return secret.encode()

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """An endpoint and a secret: what is not signed could come from anybody."""
        return absent(base_url=self.base_url, signing_secret=self.signing_secret)


@dataclass(frozen=True)
class RowOptions:
    """Options of rows: the path below the endpoint; `format` is `ndjson` or `json`."""

    path: str = ""
    format: str = "ndjson"

    def __post_init__(self) -> None:
        """Refuse an unknown format."""
        require_one_of("webhook", "format", self.format, _FORMATS)


@dataclass(frozen=True)
class _Rows:
    settings: WebhookSettings
    options: RowOptions
    http: Http
    limits: Limits

    @classmethod
    def open(cls, settings: WebhookSettings, options: RowOptions, http: Http) -> _Rows:
        return cls(settings, options, http, _FORMATS[options.format][0])

    def route(self, _change: Change) -> str:
        return self.options.path

    def encode(self, change: Change) -> bytes:
        instant = None if change.occurred_ms is None else iso_instant(change.occurred_ms)
        if not change.identifier:
            message = "nobody the row is about"
            raise Refused(message)
        return orjson.dumps(
            {
                "operation": change.operation,
                "record_key": change.record_key,
                "identifier": change.identifier,
                "label": change.label,
                "occurred_at": instant,
                "properties": read_payload(change),
            }
        )

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        body = self.limits.join(records) if records else b""
        answer = self.http.post(route, content=body, headers=self.sign(body))
        return _read(answer, len(records))

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers that say what a body is, when it left, and that it is ours."""
        moment = str(milliseconds(self.http.clock.now()) // 1000)
        message_id = "msg_" + hashlib.sha256(body).hexdigest()
        signed = f"{message_id}.{moment}.".encode() + body
        digest = hmac.new(self.settings.key, signed, hashlib.sha256).digest()
        headers = {
            "Content-Type": _FORMATS[self.options.format][1],
            "Idempotency-Key": message_id,
            "webhook-id": message_id,
            "webhook-timestamp": moment,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }
        if self.settings.authorization:
            headers["Authorization"] = self.settings.authorization.reveal()
        return headers


def _read(answer: Answer | Reply, count: int) -> Reply:
    """Read a reply: 2xx takes every row that its `rejected` does not name, by index and reason.

    A reply that is not JSON by its own word, or has no body, names none. A 400 or 422 that names
    some took the others, and one that names none took nothing.
    """
    if not isinstance(answer, Answer):
        return answer
    is_fault = answer.status in _FAULTS
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if not is_fault and (not answer.body or kind != "application/json"):
        return Taken()
    body = answer.json()
    if not isinstance(body, dict):
        return Later("a reply that is not a JSON object", is_maybe_accepted=True)
    rejected = _rejected(body.get("rejected") or [], count)
    if rejected is None:
        return Later("a reply that rejects rows it was not sent", is_maybe_accepted=True)
    if is_fault and not rejected:
        return Unnamed("refused, and the reply does not say which row")
    return Taken(rejected)


def _rejected(listed: Any, count: int) -> dict[int, str] | None:  # noqa: ANN401 - any JSON
    """Reasons by position, or nothing if they are not told as they should be."""
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        return None
    rejected = {each.get("index"): str(each.get("reason") or "rejected") for each in listed}
    is_known = all(type(index) is int and 0 <= index < count for index in rejected)
    return rejected if is_known else None


def _check(settings: WebhookSettings, http: Http) -> Check:
    """Send a signed batch of nothing."""
    match _Rows.open(settings, RowOptions(), http).send("", []):
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the signature")
        case Denied():
            return Check(is_ok=False, message="refuses the signature or the authorization")
        case Later(reason=reason) | Stop(reason=reason) | TooLarge(reason=reason):
            return Check(is_ok=False, message=reason)


WEBHOOK = Destination(
    name="webhook",
    documentation="https://www.standardwebhooks.com/",
    settings=WebhookSettings,
    objects={
        # a receiver keeps rows by record_key, or drops a batch whose id it has seen
        "rows": Object(frozenset(["append", "mirror", "upsert"]), RowOptions, _Rows.open),
    },
    check=_check,
)
