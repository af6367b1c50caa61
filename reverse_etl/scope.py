"""Where a sync sends, told without secrets, and the scope that what was sent there lies in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.http import is_loopback

if TYPE_CHECKING:
    from reverse_etl.contract import Check, Destination, Object, Settings
    from reverse_etl.http import Http
    from reverse_etl.settings import Sync


@dataclass(frozen=True)
class Target:
    """Where a sync sends, told without secrets.

    Attributes:
        destination: The destination.
        settings: Its settings.
        object: Which of its objects is sent.
        inactive: Why it cannot be sent to, if it cannot.
        monthly_rows: Most rows a month that it is to be sent, over all syncs, if there is a budget.
    """

    destination: Destination
    settings: Settings
    object: str
    inactive: str | None = None
    monthly_rows: int | None = None

    @property
    def kind(self) -> Object:
        """The object as the destination declares it."""
        return self.destination.objects[self.object]

    @property
    def url(self) -> str:
        """The base URL of the object's requests."""
        read = self.kind.url
        return self.settings.url if read is None else read(self.settings)

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        return is_loopback(self.url)

    def check(self, http: Http) -> Check:
        """Ask the destination whether it answers and takes the credentials."""
        return (self.kind.check or self.destination.check)(self.settings, http)

    def fingerprint(self, sync: Sync) -> str:
        """Digests of what a run is bound to: address, account, object, options, identity.

        `scope` is all of it but the identity: what was sent to one scope is not in another.
        """
        parts = {
            "base_url": self.url.rstrip("/"),
            "account": self.settings.account,
            "object": sync.object,
            "options": repr(sync.options),
        }
        digests = {name: _digest(value) for name, value in parts.items()}
        scope = _digest("\n".join(digests.values()))
        return orjson.dumps(digests | {"scope": scope, "identity": sync.identity}).decode()


def scope_of(fingerprint: str) -> str:
    """The scope within a settings fingerprint."""
    return str(orjson.loads(fingerprint)["scope"])


def account_digest(settings: Settings) -> str:
    """What a settings fingerprint has as `account`."""
    return _digest(settings.account)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
