"""Klaviyo's API: who we are there, one attempt at it, and who has a profile.

https://developers.klaviyo.com/en/reference/api_overview
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Check
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.destinations.klaviyo_replies import hindered, read_rows
from reverse_etl.destinations.replies import failed
from reverse_etl.destinations.settings_rules import needs
from reverse_etl.profile_keys import folded
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reverse_etl.contract import Reply
    from reverse_etl.http import Answer, Http

A_LOOK = 100
"""Identifiers of one look at most: a page has no more profiles."""

_A_LOOK_LETTERS = 4_000
"""Letters of them at most: they are in the request's address, which must stay short."""


@dataclass(frozen=True)
class KlaviyoSettings:
    """`[reverse_etl.klaviyo]`: a private key, and the account it must be of.

    Attributes:
        api_key: A private key with the scopes accounts:read, lists:read, lists:write,
            profiles:read and profiles:write, and no other.
        account_id: The account's public key, of six letters and digits: `cio sync check` compares,
            and a sync that suddenly points to another account is stopped.
        privacy_key: A private key with profiles:read and data-privacy:write, for erasures alone: no
            key that syncs use can delete anybody.
        revision: Of the API; one is served for about two years.
        base_url: In place of Klaviyo's.
    """

    api_key: Secret = NO_SECRET
    account_id: str = ""
    privacy_key: Secret = NO_SECRET
    revision: str = "2026-07-15"
    base_url: str = "https://a.klaviyo.com"

    missing = needs("api_key", "account_id")

    def __post_init__(self) -> None:
        """Refuse a private key in the place of the public one."""
        if self.account_id.startswith("pk_"):
            message = "klaviyo: account_id is the public key; the one of pk_ is the api_key"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """Where requests go."""
        return self.base_url

    @property
    def account(self) -> str:
        """The account."""
        return self.account_id


@dataclass(frozen=True)
class Api:
    """The API, opened for one run."""

    settings: KlaviyoSettings
    http: Http

    def request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Answer | Reply:
        """Make one attempt; a 400 comes back as it is."""
        headers = {
            "Authorization": f"Klaviyo-API-Key {self.settings.api_key.reveal()}",
            "revision": self.settings.revision,
            "Accept": "application/vnd.api+json",
            "Content-Type": "application/vnd.api+json",
        }
        return self.http.request(method, path, content=content, headers=headers, params=params)

    def find_profiles(self, key: str, identifiers: list[str]) -> dict[str, str] | Reply:
        """Ids of the profiles that have one of these identifiers, by it as `folded` writes it.

        Args:
            key: The attribute that identifies: `email` or `external_id`.
            identifiers: Its values.

        Returns:
            The ids of those that are there, or what hindered asking: no row was in these requests.
        """
        found: dict[str, str] = {}
        for look in _looks(identifiers):
            values = orjson.dumps(look).decode()
            params = {"filter": f"any({key},{values})", "fields[profile]": key, "page[size]": "100"}
            answer = self.request("GET", "api/profiles", params=params)
            rows = read_rows(answer)
            if rows is None:
                return hindered(answer, "people were looked up")
            found |= {folded(key, row["attributes"].get(key)): row["id"] for row in rows}
        return found


def _looks(identifiers: Iterable[str]) -> Iterator[list[str]]:
    """Identifiers in as few parts as requests may carry them."""
    look: list[str] = []
    letters = 0
    for identifier in identifiers:
        if look and (len(look) == A_LOOK or letters + len(identifier) > _A_LOOK_LETTERS):
            yield look
            look, letters = [], 0
        look.append(identifier)
        letters += len(identifier)
    if look:
        yield look


_NEEDED = {
    "api/accounts": "accounts:read",
    "api/lists": "lists:read",
    "api/profiles": "profiles:read",
}


def check(settings: KlaviyoSettings, http: Http) -> Check:
    """Ask for the account, a list and a profile; what may be written is not told by reading."""
    api = Api(settings, http)
    for path, scope in _NEEDED.items():
        params = {} if path == "api/accounts" else {"page[size]": "1"}
        answer = api.request("GET", path, params=params)
        rows = read_rows(answer)
        if rows is None:
            denied = f"refuses the api_key, or it lacks the scope {scope}"
            return failed(answer, denied, "does not answer as Klaviyo does")
        if path == "api/accounts" and [row["id"] for row in rows] != [settings.account_id]:
            return Check(is_ok=False, message="the api_key is of another account than account_id")
    return Check(is_ok=True, message="answers, and takes the key and the account")
