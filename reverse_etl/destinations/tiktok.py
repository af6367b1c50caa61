"""TikTok: audiences as custom audiences of an advertiser, one for each label, streamed.

A reply is a 200 whatever happens: its `code` says whether it was taken, all of it or nothing. So a
batch that is refused is halved until the bad row stands alone. How addresses are written before
they are hashed is a setting of the models, because TikTok's pages differ over it. How many rows a
request may carry is documented nowhere: 1,000 is what others send. An account may have to be
allowed to stream at all.

https://business-api.tiktok.com/portal/docs (Segment API: /segment/audience/, /segment/mapping/)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Check, Destination, Limits, MatchKeys, Object, Taken
from reverse_etl.destinations.audience_directory import Directory, Located
from reverse_etl.destinations.hashed import encode_cells
from reverse_etl.destinations.replies import failed
from reverse_etl.destinations.tiktok_api import BusinessApi, TikTokSettings, read_code
from reverse_etl.destinations.tiktok_audiences import AUDIENCES, AudienceOptions, open_directory
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http

__all__ = ["TIKTOK", "Audiences", "TikTokSettings", "check", "read_code"]

SCHEMA = ("EMAIL_SHA256", "PHONE_SHA256")
# neither is documented; 1 MB is what others keep to
LIMITS = Limits(1_000, 1_000_000, 2_048, connections=2, separator=b",")


@dataclass(frozen=True)
class Audiences:
    """A channel that keeps one custom audience for each label.

    Attributes:
        api: Where requests go.
        directory: The advertiser's audiences.
        limits: What one request may carry.
    """

    api: BusinessApi
    directory: Directory
    limits: Limits = LIMITS

    @classmethod
    def open(cls, settings: TikTokSettings, options: AudienceOptions, http: Http) -> Audiences:
        """Open the channel; nothing is asked yet."""
        api = BusinessApi(settings, http)
        return cls(api, open_directory(api, options))

    def route(self, change: Change) -> str:
        """Additions and removals of one audience go in requests of their own."""
        return self.directory.route(change)

    def encode(self, change: Change) -> bytes:
        """A row with a digest for every kind of id, empty where there is none."""
        return encode_cells(change, SCHEMA)

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Find the audience, make it if allowed, then add or remove."""
        found = self.directory.locate(route)
        if not isinstance(found, Located):
            return found
        audiences = [found.audience]
        body = {
            "advertiser_ids": [self.api.settings.advertiser_id],
            "action": found.operation,
            "id_schema": SCHEMA,
            "batch_data": [
                [{"id": text, "audience_ids": audiences} if text else {} for text in cells]
                for cells in map(orjson.loads, records)
            ],
        }
        answer = self.api.request("POST", "segment/mapping/", body)
        return answer if not isinstance(answer, Answer) else Taken()


def check(settings: TikTokSettings, http: Http) -> Check:
    """List one audience of the advertiser."""
    params = {"advertiser_id": settings.advertiser_id, "page": "1", "page_size": "1"}
    match BusinessApi(settings, http).request("GET", AUDIENCES, params=params):
        case Answer():
            return Check(is_ok=True, message="answers, and takes the access token and advertiser")
        case reply:
            return failed(reply, "refuses the access token")


TIKTOK = Destination(
    name="tiktok",
    documentation="https://business-api.tiktok.com/portal/docs",
    settings=TikTokSettings,
    objects={
        "audience_members": Object(
            modes=frozenset(["mirror"]),
            options=AudienceOptions,
            open=Audiences.open,
            match_keys=MatchKeys("tiktok_match_keys", SCHEMA),
        ),
    },
    check=check,
)
