"""Where Segment is, which source is meant, and by what its two APIs let us in.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from dataclasses import dataclass

from reverse_etl.credentials import NO_SECRET, Secret, basic_authorization
from reverse_etl.destinations.settings_rules import needs, require_one_of

HOSTS = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
# https://docs.segmentapis.com/tag/Getting-Started
PUBLIC_API_HOSTS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}


@dataclass(frozen=True)
class SegmentSettings:
    """`[reverse_etl.segment]`: the write key of a source of the HTTP API, and its region.

    `public_api_token`, a token of the workspace, lets `cio erase` ask for deletions. With a
    `base_url` of its own and no `public_api_base_url`, one address stands for both APIs.
    """

    write_key: Secret = NO_SECRET
    public_api_token: Secret = NO_SECRET
    region: str = "us"
    base_url: str = ""
    public_api_base_url: str = ""

    missing = needs("write_key")

    def __post_init__(self) -> None:
        """Refuse an unknown region."""
        require_one_of("segment", "region", self.region, HOSTS)

    @property
    def url(self) -> str:
        """`base_url` if given, else the region's."""
        return self.base_url or HOSTS[self.region]

    @property
    def public_api_url(self) -> str:
        """Where deletions are asked for."""
        return self.public_api_base_url or self.base_url or PUBLIC_API_HOSTS[self.region]

    @property
    def account(self) -> str:
        """The source, by its write key."""
        return self.write_key.reveal()

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the HTTP API: the write key is the user, without a password."""
        authorization = basic_authorization(self.write_key.reveal())
        return {"Content-Type": "application/json", "Authorization": authorization}
