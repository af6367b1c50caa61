"""Amplitude's user properties, through `identify`: form-encoded, and no event.

A value shows up from the user's next event on, and is not applied to those before; of somebody who
never comes back nothing is ever seen, so that whom a message tires is better told by a cohort. What
a success looks like is not documented: the word `success` and the reply of HTTP V2 are both read.

https://amplitude.com/docs/apis/analytics/identify
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from httpx import codes

from reverse_etl.contract import Denied, Later, Limits, Refused, Taken
from reverse_etl.destinations.amplitude_replies import read_refusal, read_throttled
from reverse_etl.destinations.amplitude_rules import check_person, cut
from reverse_etl.destinations.payloads import read_values
from reverse_etl.destinations.replies import UNREADABLE
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, NoOptions, Reply
    from reverse_etl.destinations.amplitude_settings import AmplitudeSettings
    from reverse_etl.http import Http

# "All throttling and status code guidance" of HTTP V2 applies, so its limits are kept: under 1 MB
# and 2,000. A form writes a byte as three at most, and whether they count is not said.
LIMITS = Limits(1_999, 330_000, 32_000, connections=4, separator=b",")
_PAUSE_SECONDS = 15.0
_PATH = "identify"


@dataclass(frozen=True)
class Properties:
    """A channel that sets user properties.

    Attributes:
        settings: The destination's settings.
        http: Where requests go.
        limits: What one request may carry.
    """

    settings: AmplitudeSettings
    http: Http
    limits: Limits = LIMITS

    @classmethod
    def open(cls, settings: AmplitudeSettings, _options: NoOptions, http: Http) -> Properties:
        """Open the channel; nothing is asked yet."""
        return cls(settings, http)

    def route(self, _change: Change) -> str:
        """All people share a request."""
        return _PATH

    def encode(self, change: Change) -> bytes:
        """A person and what is set; what is null stays as it is there."""
        check_person(change)
        values = cut(read_values(change))
        if any(name.startswith("$") for name in values):
            message = "a property's name begins with $, as Amplitude's operations do"
            raise Refused(message)
        return orjson.dumps({"user_id": change.identifier, "user_properties": {"$set": values}})

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Make one attempt, and read the reply."""
        form = {
            "api_key": self.settings.api_key.reveal(),
            # ids of Customer.io are often short numbers, which Amplitude drops without the option
            "options": '{"min_id_length":1}',
            "identification": b"[" + self.limits.join(records) + b"]",
        }
        answer = self.http.post(
            route,
            content=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            read=READ_BY_DESTINATION | {codes.TOO_MANY_REQUESTS},
        )
        if not isinstance(answer, Answer):
            return answer
        if answer.status == codes.TOO_MANY_REQUESTS:
            asked = retry_after(answer.headers.get("retry-after"), now=self.http.clock.now())
            return read_throttled(answer.json(), records, asked=asked, pause=_PAUSE_SECONDS)
        return _read(answer, len(records))


def _read(answer: Answer, count: int) -> Reply:
    """Read a reply other than 429."""
    body = answer.json()
    if answer.status == codes.BAD_REQUEST:
        if answer.body.strip() == b"invalid_api_key":
            return Denied(answer.status)
        if isinstance(body, dict):
            return read_refusal(body, answer.status, count)
    elif answer.body.strip() == b"success":
        return Taken()
    elif isinstance(body, dict) and body.get("code") == codes.OK:
        if body.get("events_ingested", count) == count:
            return Taken()
        return Later("a reply whose counts do not agree", is_maybe_accepted=True)
    return UNREADABLE
