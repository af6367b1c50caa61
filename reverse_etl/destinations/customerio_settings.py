"""Where Customer.io is, which workspace is meant, and by what its two APIs let us in.

https://docs.customer.io/integrations/api/track/
https://docs.customer.io/integrations/api/app/
"""

from __future__ import annotations

from dataclasses import dataclass

from reverse_etl.credentials import NO_SECRET, Secret, basic_authorization
from reverse_etl.destinations.settings_rules import needs, require_one_of
from reverse_etl.http import is_loopback
from warehouse.errors import UsageError

HOSTS = {"us": "https://track.customer.io", "eu": "https://track-eu.customer.io"}
APP_HOSTS = {"us": "https://api.customer.io", "eu": "https://api-eu.customer.io"}


@dataclass(frozen=True)
class CustomerioSettings:
    """`[reverse_etl.customerio]`: the Track API's keys, and the App API's for segments.

    With a `base_url` of its own and no `app_base_url`, one address stands for both APIs.
    """

    site_id: str = ""
    api_key: Secret = NO_SECRET
    app_api_key: Secret = NO_SECRET
    region: str = "us"
    base_url: str = ""
    app_base_url: str = ""

    # segments are looked up, and read back, through the App API
    missing = needs("site_id", "api_key", segment_members=("app_api_key",))

    def __post_init__(self) -> None:
        """Refuse an unknown region, and a stand-in beside the real thing."""
        require_one_of("customerio", "region", self.region, HOSTS)
        if is_loopback(self.url) != is_loopback(self.app_url):
            message = "customerio: base_url and app_base_url must both be this machine, or neither"
            raise UsageError(message)

    @property
    def url(self) -> str:
        """`base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def app_url(self) -> str:
        """Where the App API answers."""
        return self.app_base_url or self.base_url or APP_HOSTS[self.region]

    @property
    def account(self) -> str:
        """The workspace, by the id of its Track credentials."""
        return self.site_id

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the Track API."""
        authorization = basic_authorization(self.site_id, self.api_key.reveal())
        return {"Content-Type": "application/json", "Authorization": authorization}
