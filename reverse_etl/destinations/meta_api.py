"""Meta's Graph API: who we are there, and one attempt at it.

https://developers.facebook.com/docs/graph-api/overview
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reverse_etl.clock import milliseconds
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.meta_errors import READ, Usage, read_refusal
from reverse_etl.destinations.settings_rules import needs, require_number
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Http


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

    access_token: Secret = NO_SECRET
    ad_account_id: str = ""
    app_secret: Secret = NO_SECRET
    api_version: str = "v25.0"
    base_url: str = "https://graph.facebook.com"

    missing = needs("access_token", "ad_account_id")

    def __post_init__(self) -> None:
        """Refuse an account that is no number."""
        require_number("meta", "ad_account_id", self.ad_account_id, "give it without act_")

    @property
    def url(self) -> str:
        """Where requests go, the version included."""
        return f"{self.base_url.rstrip('/')}/{self.api_version}"

    @property
    def account(self) -> str:
        """The ad account."""
        return self.ad_account_id

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
class Graph:
    """The API, opened for one run.

    Attributes:
        settings: The destination's settings.
        http: Where requests go.
        usage: How much of the account's hourly rate is spent.
    """

    settings: MetaSettings
    http: Http
    usage: Usage = field(default_factory=Usage)

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt; a refusal comes back as what it means."""
        seconds = milliseconds(self.http.clock.now()) // 1_000
        answer = self.http.request(
            method,
            path,
            content=content,
            headers=self.settings.headers(),
            params=self.settings.params(seconds) | dict(params or {}),
            read=READ,
        )
        if not isinstance(answer, Answer):
            return answer
        self.usage.note(answer.headers)
        return read_refusal(answer, self.usage) or answer
