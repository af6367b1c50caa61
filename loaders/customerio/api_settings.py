"""Settings of Customer.io's App API."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from warehouse.errors import UsageError
from warehouse.secrets import SECRETS_FILE, Secret, read_section, variable

SECTION = "customerio"
# the receiver reads these from the same section
RECEIVERS = ("webhook_signing_key", "webhook_basic_auth", "webhook_archive_days")

# https://docs.customer.io/integrations/api/app/: a workspace lives in one of two regions, and the
# other one answers 401.
LOOPBACK = frozenset(["127.0.0.1", "localhost", "::1"])
HOSTS = {"us": "https://api.customer.io/v1", "eu": "https://api-eu.customer.io/v1"}


@dataclass(frozen=True)
class ApiSettings:
    """What `[loaders.customerio]` says.

    Attributes:
        app_api_key: The App API key of the workspace; a Track API key does not do.
        region: `us` or `eu`.
        base_url: An address to use instead of the region's, for a stand-in.
    """

    app_api_key: Secret = field(default_factory=lambda: Secret(""))
    region: str = "us"
    base_url: str = ""

    @property
    def url(self) -> str:
        """Where requests go, without a slash at its end."""
        return (self.base_url or HOSTS[self.region]).rstrip("/")

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK


def read_api_settings() -> ApiSettings:
    """Read the settings from the environment and dlt's files.

    Raises:
        UsageError: There is no key, no such region, or a settings file cannot be read.
    """
    settings = read_section(ApiSettings, "loaders", SECTION, others=RECEIVERS)
    if not settings.app_api_key:
        message = (
            f"Customer.io's App API needs a key: set app_api_key under [loaders.{SECTION}] of "
            f"{SECRETS_FILE}, or {variable('loaders', SECTION, 'app_api_key')}. Make one under "
            "Settings > Account settings > API credentials > App API keys."
        )
        raise UsageError(message)
    if settings.region not in HOSTS:
        message = (
            f"region {settings.region!r} of [loaders.{SECTION}] is not one; write us or eu, as the "
            "workspace's settings say"
        )
        raise UsageError(message)
    _check_address(settings)
    return settings


def _check_address(settings: ApiSettings) -> None:
    try:
        scheme, is_loopback = urlsplit(settings.url).scheme, settings.is_loopback
    except ValueError:
        scheme, is_loopback = "", False
    if scheme != "https" and not (scheme == "http" and is_loopback):
        message = (
            f"base_url of [loaders.{SECTION}] is no address the key may go to: write https://…, "
            "or http:// and a loopback address for a stand-in; or leave it out"
        )
        raise UsageError(message)
