"""A stand-in, running, with a client that looks into it; settings that lead a sync there; and
what somebody else does to a list behind a sync's back.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from fakes import google_data_manager
from fakes.server import serve_in_thread
from reverse_etl.credentials import variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest
    from starlette.types import ASGIApp


@contextmanager
def running(app: ASGIApp) -> Iterator[httpx.Client]:
    """A stand-in on a port of its own while the block runs, and a client of it."""
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def configure(
    monkeypatch: pytest.MonkeyPatch, destination: str, settings: Mapping[str, str]
) -> None:
    """Give a destination its settings, as a user does in the environment."""
    for key, value in settings.items():
        monkeypatch.setenv(variable(destination, key), value)


def sha256(text: str) -> str:
    """A digest as ad platforms take it."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class GoogleLists:
    """User lists of the stand-in of Google, as another tool of the company fills them."""

    url: str

    def add(self, label: str, digest: str) -> None:
        """Put somebody on a list, which is made if nobody made it yet."""
        given = google_data_manager.settings(self.url)
        form = {"grant_type": "refresh_token"} | {
            key: given[key] for key in ("client_id", "client_secret", "refresh_token")
        }
        login = httpx.post(given["token_url"], data=form, trust_env=False).json()
        with httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {login['access_token']}"},
            trust_env=False,
        ) as client:
            account = {"accountType": "GOOGLE_ADS", "accountId": google_data_manager.ACCOUNT}
            where = {"operatingAccount": account, "productDestinationId": _find(client, label)}
            rows = {
                "destinations": [where],
                "audienceMembers": [{"userData": {"userIdentifiers": [{"emailAddress": digest}]}}],
                "encoding": "HEX",
                "consent": dict.fromkeys(("adUserData", "adPersonalization"), "CONSENT_GRANTED"),
                "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
            }
            taken = client.post("/v1/audienceMembers:ingest", json=rows).json()
            # it is processed when it is asked about
            client.get("/v1/requestStatus:retrieve", params={"requestId": taken["requestId"]})


def _find(client: httpx.Client, label: str) -> str:
    """The id of a list."""
    lists = f"/v1/accountTypes/GOOGLE_ADS/accounts/{google_data_manager.ACCOUNT}/userLists"
    for one in client.get(lists).json().get("userLists", []):
        if one["displayName"] == label:
            return str(one["id"])
    kind: dict[str, Any] = {"uploadKeyTypes": ["CONTACT_ID"], "contactIdInfo": {}}
    body = {"displayName": label, "membershipDuration": "86400s", "ingestedUserListInfo": kind}
    return str(client.post(lists, json=body).json()["id"])
