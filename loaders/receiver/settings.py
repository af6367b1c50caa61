"""Settings of the receiver: secrets from dlt's files, the rest from the command."""

from __future__ import annotations

from dataclasses import dataclass, field

from loaders.customerio.api_settings import SECTION, ApiSettings
from warehouse.errors import UsageError
from warehouse.secrets import SECRETS_FILE, Secret, read_section, variable


@dataclass(frozen=True)
class ReceiverSettings:
    """What `[loaders.customerio]` says of webhooks.

    Attributes:
        webhook_signing_key: The signing key of the reporting webhook; while it is replaced, the
            old and the new one with a comma between.
        webhook_basic_auth: `user:password`, if the webhook's address has them too.
        webhook_archive_days: How long a file is kept after it was loaded.
    """

    webhook_signing_key: Secret = field(default_factory=lambda: Secret(""))
    webhook_basic_auth: Secret = field(default_factory=lambda: Secret(""))
    webhook_archive_days: str = "30"

    @property
    def signing_keys(self) -> tuple[Secret, ...]:
        """The keys, one by one."""
        texts = (text.strip() for text in self.webhook_signing_key.reveal().split(","))
        return tuple(Secret(text) for text in texts if text)

    @property
    def archive_days(self) -> int:
        """How long a file is kept after it was loaded.

        Raises:
            UsageError: The setting is no whole number of days.
        """
        if not self.webhook_archive_days.isdecimal():
            message = (
                f"webhook_archive_days of [loaders.{SECTION}] is {self.webhook_archive_days!r}; "
                "write a whole number of days, such as 30, or 0 to keep nothing"
            )
            raise UsageError(message)
        return int(self.webhook_archive_days)


@dataclass(frozen=True)
class _Section(ApiSettings, ReceiverSettings):
    """The whole section: the keys of the App API stand in it, too, and are not unknown."""


def read_receiver_settings() -> ReceiverSettings:
    """Read the settings from the environment and dlt's files.

    Raises:
        UsageError: A settings file cannot be read, or basic auth is not `user:password`.
    """
    settings = read_section(_Section, "loaders", SECTION)
    if settings.webhook_basic_auth and ":" not in settings.webhook_basic_auth.reveal():
        message = (
            f"webhook_basic_auth of [loaders.{SECTION}] has no colon; write user:password, as in "
            "the address https://user:password@host/ that you give to Customer.io"
        )
        raise UsageError(message)
    return settings


def missing_key() -> str:
    """What to do when there is no signing key."""
    return (
        "there is no webhook signing key, so anybody could post events: set webhook_signing_key "
        f"under [loaders.{SECTION}] of {SECRETS_FILE}, or "
        f"{variable('loaders', SECTION, 'webhook_signing_key')}. It stands on the page of the "
        "reporting webhook, Integrations > Reporting Webhooks. --unsigned receives without one."
    )
