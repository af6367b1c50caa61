"""Amplitude: message events through `/batch` or HTTP V2, audiences as cohorts, user properties.

A 400 takes nothing: the events it lists are refused, the others sent again. `/batch` lists all of
them, HTTP V2 the first of each field, so that there it takes one more request for each; a reply
that lists none halves the batch. Amplitude's rate is one of people: of a 429 only the events of
the people it names wait, and those over their daily quota stay planned for another day.
`insert_id` makes sending again safe for seven days.

https://amplitude.com/docs/apis/analytics/http-v2
https://amplitude.com/docs/apis/analytics/batch-event-upload
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from httpx import codes

from reverse_etl.contract import Check, Destination, Limits, NoOptions, Object, Taken, Unnamed
from reverse_etl.destinations.amplitude_cohorts import (
    CohortOptions,
    Cohorts,
    check_cohorts,
    read_sizes,
)
from reverse_etl.destinations.amplitude_deletion import DELETIONS
from reverse_etl.destinations.amplitude_identify import Properties
from reverse_etl.destinations.amplitude_replies import read_answer, read_throttled
from reverse_etl.destinations.amplitude_rules import check_event, read_properties
from reverse_etl.destinations.amplitude_settings import ENDPOINTS, AmplitudeSettings
from reverse_etl.destinations.replies import failed
from reverse_etl.http import READ_BY_DESTINATION, Answer, retry_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.http import Http


@dataclass(frozen=True)
class _Events:
    settings: AmplitudeSettings
    http: Http
    limits: Limits

    @classmethod
    def open(cls, settings: AmplitudeSettings, _options: NoOptions, http: Http) -> _Events:
        return cls(settings, http, ENDPOINTS[settings.endpoint].limits)

    def route(self, _change: Change) -> str:
        return ENDPOINTS[self.settings.endpoint].path

    def encode(self, change: Change) -> bytes:
        check_event(change)
        return orjson.dumps(
            {
                "user_id": change.identifier,
                "event_type": change.label,
                "time": change.occurred_ms,
                "insert_id": change.record_key,
                "event_properties": read_properties(change),
            }
        )

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        # ids of Customer.io are often short numbers, which Amplitude drops without the option
        key = orjson.dumps(self.settings.api_key.reveal())
        opening = b'{"api_key":' + key + b',"options":{"min_id_length":1},"events":['
        content = gzip.compress(opening + self.limits.join(records) + b"]}", 1, mtime=0)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        read = READ_BY_DESTINATION | {codes.TOO_MANY_REQUESTS}
        answer = self.http.post(route, content=content, headers=headers, read=read)
        if not isinstance(answer, Answer):
            return answer
        if answer.status == codes.TOO_MANY_REQUESTS:
            asked = retry_after(answer.headers.get("retry-after"), now=self.http.clock.now())
            pause = ENDPOINTS[self.settings.endpoint].pause_seconds
            return read_throttled(answer.json(), records, asked=asked, pause=pause)
        return read_answer(answer, len(records))


def _check(settings: AmplitudeSettings, http: Http) -> Check:
    """Send one event that Amplitude must refuse: the refusal shows that the key is good."""
    channel = _Events.open(settings, NoOptions(), http)
    match channel.send(ENDPOINTS[settings.endpoint].path, [b'{"user_id":"null"}']):
        case Taken() | Unnamed():
            return Check(is_ok=True, message="answers, and takes the API key")
        case reply:
            return failed(reply, "refuses the API key")


AMPLITUDE = Destination(
    name="amplitude",
    documentation="https://amplitude.com/docs/apis",
    settings=AmplitudeSettings,
    objects={
        "message_events": Object(frozenset(["append"]), NoOptions, _Events.open),
        "audience_members": Object(
            frozenset(["mirror", "upsert"]),
            CohortOptions,
            Cohorts.open,
            url=lambda settings: str(settings.cohorts_url),
            check=check_cohorts,
            sizes=read_sizes,
        ),
        # there is nothing to take away: what a user had before is not known
        "person_properties": Object(frozenset(["upsert"]), NoOptions, Properties.open),
    },
    check=_check,
    deletions=DELETIONS,
)
