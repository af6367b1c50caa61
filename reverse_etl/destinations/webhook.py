"""Any HTTP endpoint of the company's own: signed batches of rows, as JSON lines or one JSON list.

A request is signed as Standard Webhooks describes, which has libraries in most languages: the
headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, an HMAC-SHA256 over both and the
body. The id is a digest of the body, so that a batch sent again bears the same; it is also sent as
`Idempotency-Key`. Rows bear their own `record_key`: a receiver that keeps rows by it can be sent
anything twice.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import (
    Check,
    Destination,
    Limits,
    Object,
    Refused,
    Taken,
    Unnamed,
)
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.payloads import describe, read_payload
from reverse_etl.destinations.posted import Posted
from reverse_etl.destinations.replies import failed
from reverse_etl.destinations.settings_rules import needs, require_one_of
from reverse_etl.destinations.webhook_replies import read_reply
from reverse_etl.destinations.webhook_signature import read_key, sign

if TYPE_CHECKING:
    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

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
    signing_secret: Secret = NO_SECRET
    authorization: Secret = NO_SECRET

    # what is not signed could come from anybody
    missing = needs("base_url", "signing_secret")

    def __post_init__(self) -> None:
        """Refuse a secret that says it is base64 and is not."""
        read_key(self.signing_secret)

    @property
    def url(self) -> str:
        """The endpoint."""
        return self.base_url

    @property
    def account(self) -> str:
        """The endpoint is all that tells one from another."""
        return ""


@dataclass(frozen=True)
class RowOptions:
    """Options of rows: the path below the endpoint; `format` is `ndjson` or `json`."""

    path: str = ""
    format: str = "ndjson"

    def __post_init__(self) -> None:
        """Refuse an unknown format."""
        require_one_of("webhook", "format", self.format, _FORMATS)


def _write(change: Change) -> bytes:
    row = describe(change)
    if not change.identifier:
        message = "nobody the row is about"
        raise Refused(message)
    row["properties"] = read_payload(change)
    return orjson.dumps(row)


@dataclass(frozen=True)
class Endpoint:
    """The endpoint, which takes bodies of one kind."""

    settings: WebhookSettings
    http: Http
    kind: str

    def send(self, path: str, body: bytes, count: int) -> Reply:
        """Make one attempt, and read the reply."""
        return read_reply(self.http.post(path, content=body, headers=self.sign(body)), count)

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers that say what a body is, when it left, and that it is ours."""
        headers = {"Content-Type": self.kind}
        headers |= sign(body, self.settings.signing_secret, self.http.clock)
        if self.settings.authorization:
            headers["Authorization"] = self.settings.authorization.reveal()
        return headers


def _open(settings: WebhookSettings, options: RowOptions, http: Http) -> Posted:
    limits, kind = _FORMATS[options.format]
    return Posted(options.path, limits, _write, Endpoint(settings, http, kind).send)


def _check(settings: WebhookSettings, http: Http) -> Check:
    """Send a signed batch of nothing."""
    match Endpoint(settings, http, _FORMATS["ndjson"][1]).send("", b"", 0):
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the signature")
        case reply:
            return failed(reply, "refuses the signature or the authorization")


WEBHOOK = Destination(
    name="webhook",
    documentation="https://www.standardwebhooks.com/",
    settings=WebhookSettings,
    objects={
        # a receiver keeps rows by record_key, or drops a batch whose id it has seen
        "rows": Object(frozenset(["append", "mirror", "upsert"]), RowOptions, _open),
    },
    check=_check,
)
