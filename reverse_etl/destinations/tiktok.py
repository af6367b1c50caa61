"""TikTok: audiences as custom audiences of an advertiser, one for each label, streamed.

A reply is a 200 whatever happens: its `code` says whether it was taken, all of it or nothing. So a
batch that is refused is halved until the bad row stands alone. How addresses are written before
they are hashed is a setting of the models, because TikTok's pages differ over it. How many rows a
request may carry is documented nowhere: 1,000 is what others send. An account may have to be
allowed to stream at all.

https://business-api.tiktok.com/portal/docs (Segment API: /segment/audience/, /segment/mapping/)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import (
    Check,
    Denied,
    Destination,
    Later,
    Limits,
    MatchKeys,
    Object,
    Stop,
    Taken,
    TooLarge,
    Unnamed,
)
from reverse_etl.credentials import Secret
from reverse_etl.destinations.hashed import read_match_keys
from reverse_etl.destinations.tiktok_audiences import AudienceOptions, Lookup
from reverse_etl.http import Answer
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

SCHEMA = ("EMAIL_SHA256", "PHONE_SHA256")
# neither is documented; 1 MB is what others keep to
LIMITS = Limits(1_000, 1_000_000, 2_048, connections=2, separator=b",")
_TAKEN = 0
_THROTTLED = frozenset([40016, 40100, 40133])
_TOKEN = frozenset([40101, 40102, 40103, 40104, 40105, 40106])
_NO_PERMISSION = frozenset([40001, 40110])
_SYSTEM_ERRORS = range(50_000, 60_000)
_NO_AUDIENCE = "has no audience by the name of a label, and create is off"


@dataclass(frozen=True)
class TikTokSettings:
    """`[reverse_etl.tiktok]`: a long-lived access token, and an advertiser.

    Attributes:
        access_token: With the permission Audience Management.
        advertiser_id: The advertiser's number.
        api_version: Of the Business API.
        base_url: In place of TikTok's.
    """

    access_token: Secret = field(default_factory=lambda: Secret(""))
    advertiser_id: str = ""
    api_version: str = "v1.3"
    base_url: str = "https://business-api.tiktok.com"

    def __post_init__(self) -> None:
        """Refuse an advertiser that is no number."""
        if self.advertiser_id and not self.advertiser_id.isdecimal():
            message = "tiktok: advertiser_id is not a number; the Ads Manager's address has it"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """Where requests go, the version included."""
        return f"{self.base_url.rstrip('/')}/open_api/{self.api_version}"

    @property
    def account(self) -> str:
        """The advertiser."""
        return self.advertiser_id

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Without a token and an advertiser nothing can be sent."""
        needed = {"access_token": self.access_token, "advertiser_id": self.advertiser_id}
        return tuple(key for key, value in needed.items() if not value)


@dataclass(frozen=True)
class Audiences:
    """A channel that keeps one custom audience for each label.

    Attributes:
        settings: The destination's settings.
        options: The sync's.
        http: Where requests go.
        limits: What one request may carry.
        known: Ids of audiences by label, as far as they were needed.
        turn: Held while an audience is looked up or made.
    """

    settings: TikTokSettings
    options: AudienceOptions
    http: Http
    limits: Limits = LIMITS
    known: dict[str, str] = field(default_factory=dict)
    turn: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def open(cls, settings: TikTokSettings, options: AudienceOptions, http: Http) -> Audiences:
        """Open the channel; nothing is asked yet."""
        return cls(settings, options, http, known=dict(options.audience_ids))

    def route(self, change: Change) -> str:
        """Additions and removals of one audience go in requests of their own."""
        operation = "delete" if change.operation == "remove" else "add"
        return f"{operation} {change.label}"

    def encode(self, change: Change) -> bytes:
        """A row with a digest for every kind of id, empty where there is none."""
        keys = read_match_keys(change, SCHEMA)
        return orjson.dumps([keys.get(name, "") for name in SCHEMA])

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the audience, make it if allowed, then add or remove."""
        action, _, label = route.partition(" ")
        with self.turn:
            find = Lookup(self.request, self.options, self.settings.advertiser_id, self.known)
            problem = find.make(label) if action == "add" else find.find(label)
            if problem is not None:
                return problem
        if label not in self.known:
            # without an audience nobody is in it
            return Taken() if action == "delete" else Stop(_NO_AUDIENCE)
        audiences = [self.known[label]]
        body = {
            "advertiser_ids": [self.settings.advertiser_id],
            "action": action,
            "id_schema": SCHEMA,
            "batch_data": [
                [{"id": text, "audience_ids": audiences} if text else {} for text in cells]
                for cells in map(orjson.loads, records)
            ],
        }
        answer = self.request("POST", "segment/mapping/", body)
        return answer if not isinstance(answer, Answer) else Taken()

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt; a reply that is no success comes back as what it means."""
        headers = {
            "Content-Type": "application/json",
            "Access-Token": self.settings.access_token.reveal(),
        }
        if method == "GET":
            answer = self.http.get(path, headers=headers, params=params)
        else:
            answer = self.http.post(path, content=orjson.dumps(body), headers=headers)
        return (read_code(answer) or answer) if isinstance(answer, Answer) else answer


def read_code(answer: Answer) -> Reply | None:
    """What a reply's code means, or nothing if it is a success.

    https://business-api.tiktok.com/portal/docs?id=1737172488964097
    """
    body = answer.json()
    code = body.get("code") if isinstance(body, dict) else None
    reply: Reply | None
    if type(code) is not int:
        reply = Later("a reply that is not the documented one", is_maybe_accepted=True)
    elif code == _TAKEN:
        reply = None
    elif code in _TOKEN:
        reply = Denied(codes.UNAUTHORIZED)
    elif code in _NO_PERMISSION:
        reply = Stop(f"refuses (code {code}): the token may not manage this advertiser's audiences")
    elif code in _THROTTLED:
        reply = Later(f"throttled (code {code})", is_maybe_accepted=False)
    elif code in _SYSTEM_ERRORS:
        reply = Later(f"answered code {code}", is_maybe_accepted=True)
    else:
        # its words may quote what was sent, so only the number is kept
        reply = Unnamed(f"refused with code {code}")
    return reply


def check(settings: TikTokSettings, http: Http) -> Check:
    """List one audience of the advertiser."""
    channel = Audiences.open(settings, AudienceOptions(), http)
    params = {"advertiser_id": settings.advertiser_id, "page": "1", "page_size": "1"}
    match channel.request("GET", "dmp/custom_audience/list/", params=params):
        case Answer():
            return Check(is_ok=True, message="answers, and takes the access token and advertiser")
        case Later(reason=reason) | Stop(reason=reason) | Unnamed(reason=reason):
            return Check(is_ok=False, message=reason)
        case TooLarge() | Taken() | Denied():
            return Check(is_ok=False, message="refuses the access token")


TIKTOK = Destination(
    name="tiktok",
    documentation="https://business-api.tiktok.com/portal/docs",
    settings=TikTokSettings,
    objects={
        "audience_members": Object(
            modes=frozenset(["mirror"]),
            options=AudienceOptions,
            open=Audiences.open,
            match_keys=MatchKeys("tiktok_match_keys", SCHEMA),
        ),
    },
    check=check,
)
