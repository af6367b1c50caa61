"""TikTok's Business API: who we are there, one attempt at it, and what its codes mean.

https://business-api.tiktok.com/portal/docs
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from httpx import codes

from reverse_etl.contract import Denied, Later, Stop, Unnamed
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.replies import UNREADABLE, read_object
from reverse_etl.destinations.settings_rules import needs, require_number
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Http

_TAKEN = 0
_THROTTLED = frozenset([40016, 40100, 40133])
_TOKEN = frozenset([40101, 40102, 40103, 40104, 40105, 40106])
_NO_PERMISSION = frozenset([40001, 40110])
_SYSTEM_ERRORS = range(50_000, 60_000)


@dataclass(frozen=True)
class TikTokSettings:
    """`[reverse_etl.tiktok]`: a long-lived access token, and an advertiser.

    Attributes:
        access_token: With the permission Audience Management.
        advertiser_id: The advertiser's number.
        api_version: Of the Business API.
        base_url: In place of TikTok's.
    """

    access_token: Secret = NO_SECRET
    advertiser_id: str = ""
    api_version: str = "v1.3"
    base_url: str = "https://business-api.tiktok.com"

    missing = needs("access_token", "advertiser_id")

    def __post_init__(self) -> None:
        """Refuse an advertiser that is no number."""
        hint = "the Ads Manager's address has it"
        require_number("tiktok", "advertiser_id", self.advertiser_id, hint)

    @property
    def url(self) -> str:
        """Where requests go, the version included."""
        return f"{self.base_url.rstrip('/')}/open_api/{self.api_version}"

    @property
    def account(self) -> str:
        """The advertiser."""
        return self.advertiser_id


@dataclass(frozen=True)
class BusinessApi:
    """The API, opened for one run."""

    settings: TikTokSettings
    http: Http

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
        content = None if body is None else orjson.dumps(body)
        answer = self.http.request(method, path, content=content, headers=headers, params=params)
        return (read_code(answer) or answer) if isinstance(answer, Answer) else answer


def read_code(answer: Answer) -> Reply | None:
    """What a reply's code means, or nothing if it is a success.

    https://business-api.tiktok.com/portal/docs?id=1737172488964097
    """
    code = (read_object(answer) or {}).get("code")
    reply: Reply | None
    if type(code) is not int:
        reply = UNREADABLE
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
