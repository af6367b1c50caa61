"""Where Mixpanel is, which project is meant, and by what it lets us in."""

from __future__ import annotations

from dataclasses import dataclass

from reverse_etl.credentials import NO_SECRET, Secret, basic_authorization, variable
from reverse_etl.destinations.settings_rules import absent, require_one_of
from warehouse.errors import UsageError

HOSTS = {
    "us": "https://api.mixpanel.com",
    "eu": "https://api-eu.mixpanel.com",
    "in": "https://api-in.mixpanel.com",
}
# https://docs.mixpanel.com/reference/gdpr-api: of the application, not of ingestion
APP_HOSTS = {
    "us": "https://mixpanel.com",
    "eu": "https://eu.mixpanel.com",
    "in": "https://in.mixpanel.com",
}


@dataclass(frozen=True)
class MixpanelSettings:
    """`[reverse_etl.mixpanel]`: a project token, or for events a service account and project id.

    `gdpr_token` is the OAuth token of an owner or admin, from Profile & Preferences > Data &
    Privacy, good for a year: `cio erase` asks for the deletion of events with it. With a `base_url`
    of its own and no `app_base_url`, one address stands for both APIs.
    """

    project_token: Secret = NO_SECRET
    project_id: str = ""
    service_account_username: str = ""
    service_account_secret: Secret = NO_SECRET
    lookup_table_id: str = ""
    gdpr_token: Secret = NO_SECRET
    region: str = "us"
    base_url: str = ""
    app_base_url: str = ""

    def __post_init__(self) -> None:
        """Refuse an unknown region and half a service account."""
        require_one_of("mixpanel", "region", self.region, HOSTS)
        if bool(self.service_account_username) != bool(self.service_account_secret):
            given = bool(self.service_account_username)
            key = "service_account_secret" if given else "service_account_username"
            message = (
                f"mixpanel: half of a service account; {key} is missing. Set it in "
                f".dlt/secrets.toml, [reverse_etl.mixpanel], or {variable('mixpanel', key)}."
            )
            raise UsageError(message)

    @property
    def url(self) -> str:
        """`base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def app_url(self) -> str:
        """Where deletions are asked for."""
        return self.app_base_url or self.base_url or APP_HOSTS[self.region]

    @property
    def account(self) -> str:
        """The project: by its id, else by its token."""
        return self.project_id or self.project_token.reveal()

    def missing(self, object_name: str) -> tuple[str, ...]:
        """A service account with its project, or the token; profiles take only the token.

        A lookup table is made in Mixpanel, and replaced by a service account only.
        """
        if object_name == "campaign_lookup":
            return absent(
                project_id=self.project_id,
                service_account_username=self.service_account_username,
                service_account_secret=self.service_account_secret,
                lookup_table_id=self.lookup_table_id,
            )
        has_account = bool(self.service_account_username and self.project_id)
        if self.project_token or (has_account and object_name == "message_events"):
            return ()
        return ("project_token",)

    @property
    def authorization(self) -> str:
        """The header's value: the service account if there is one, else the token as user."""
        if self.service_account_username and self.project_id:
            secret = self.service_account_secret.reveal()
            return basic_authorization(self.service_account_username, secret)
        return basic_authorization(self.project_token.reveal())
