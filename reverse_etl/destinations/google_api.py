"""Google's Data Manager API: who we are there, and one attempt at it.

https://developers.google.com/data-manager/api/reference/rest
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.google_auth import Login, Tokens
from reverse_etl.destinations.settings_rules import absent, require_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer, Http


@dataclass(frozen=True)
class GoogleSettings:
    """`[reverse_etl.google]`: an account, and a service account's key or a refresh token.

    Attributes:
        account_id: The Google Ads account's number, without dashes.
        login_account_id: The manager account's, where access comes from it.
        service_account_key: The JSON of a service account's key file, in one line.
        client_id: Of an OAuth client, in place of a service account.
        client_secret: Its secret.
        refresh_token: A refresh token of that client, of the scope of the Data Manager API.
        quota_project: The Cloud project that is counted, where a refresh token is used.
        token_url: In place of Google's.
        base_url: In place of Google's.
    """

    account_id: str = ""
    login_account_id: str = ""
    service_account_key: Secret = NO_SECRET
    client_id: str = ""
    client_secret: Secret = NO_SECRET
    refresh_token: Secret = NO_SECRET
    quota_project: str = ""
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    base_url: str = "https://datamanager.googleapis.com"

    def __post_init__(self) -> None:
        """Refuse accounts that are no numbers."""
        for name in ("account_id", "login_account_id"):
            require_number("google", name, getattr(self, name), "give it without dashes")

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url

    @property
    def account(self) -> str:
        """The account."""
        return self.account_id

    def missing(self, _object_name: str) -> tuple[str, ...]:
        """Without an account, and one of the two ways to log in, nothing can be sent."""
        if self.service_account_key:
            return absent(account_id=self.account_id)
        return absent(
            account_id=self.account_id,
            client_id=self.client_id,
            client_secret=self.client_secret,
            refresh_token=self.refresh_token,
        )

    def login(self) -> Login:
        """How tokens are had."""
        return Login(
            self.token_url,
            self.service_account_key,
            self.client_id,
            self.client_secret,
            self.refresh_token,
        )


@dataclass(frozen=True)
class DataManager:
    """The API, opened for one run.

    Attributes:
        settings: The destination's settings.
        http: Where requests go.
        tokens: The run's access token.
    """

    settings: GoogleSettings
    http: Http
    tokens: Tokens

    @classmethod
    def open(cls, settings: GoogleSettings, http: Http) -> DataManager:
        """Open it; nothing is asked yet."""
        return cls(settings, http, Tokens(settings.login(), http.clock))

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt; a 400 comes back as it is."""
        token = self.tokens.get()
        if not isinstance(token, Secret):
            return token
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token.reveal()}"}
        if self.settings.quota_project:
            headers["x-goog-user-project"] = self.settings.quota_project
        if self.settings.login_account_id and "userLists" in path:
            number = self.settings.login_account_id
            headers["login-account"] = f"accountTypes/GOOGLE_ADS/accounts/{number}"
        return self.http.request(method, path, content=content, headers=headers, params=params)
