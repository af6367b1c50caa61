"""Mixpanel's lookup tables: what the ids on events are called, replaced as a whole.

A lookup table is made once in Mixpanel, by uploading any CSV whose first column is the key, and
mapped to an event property there; only its rows can be replaced from outside, all or nothing. A
table is one row of the outbound model, whose payload has its `rows`.

https://docs.mixpanel.com/reference/replace-lookup-table
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from httpx import codes

from reverse_etl.contract import Limits, Refused, Taken, Unnamed
from reverse_etl.destinations.payloads import read_rows
from reverse_etl.destinations.replies import UNREADABLE, read_object
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Change, Reply
    from reverse_etl.destinations.mixpanel_settings import MixpanelSettings
    from reverse_etl.http import Http

# 100 MB a table, which is 100 times in 24 hours at most
_MAX_BYTES = 100_000_000
LIMITS = Limits(records=1, size=_MAX_BYTES, record_size=_MAX_BYTES)


@dataclass(frozen=True)
class LookupOptions:
    """Options of a lookup table: the field of its rows that is the key."""

    key: str = "campaign_id"


@dataclass(frozen=True)
class LookupTable:
    """A lookup table opened for one sync."""

    settings: MixpanelSettings
    options: LookupOptions
    http: Http
    limits: Limits = LIMITS

    @classmethod
    def open(cls, settings: MixpanelSettings, options: LookupOptions, http: Http) -> LookupTable:
        """Open the table that the settings name; requests go to the region's address."""
        return cls(settings, options, http.at(settings.url))

    def route(self, _change: Change) -> str:
        """Each table is a request of its own."""
        return f"lookup-tables/{self.settings.lookup_table_id}"

    def encode(self, change: Change) -> bytes:
        """The table as CSV, its key first, the other columns in the order of their appearance.

        Raises:
            Refused: It is about a person, there are no rows, or one lacks the key or has another's.
        """
        if change.person_id is not None:
            message = "a row about a person: lookup tables are not for people"
            raise Refused(message)
        rows = read_rows(change)
        key = self.options.key
        keys = {str(row.get(key) or "") for row in rows}
        if "" in keys or len(keys) < len(rows):
            message = f"a row without {key}, or two with one"
            raise Refused(message)
        columns = dict.fromkeys([key, *(name for row in rows for name in row)])
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    def send(self, route: str, records: Sequence[bytes]) -> Reply:
        """Replace the table."""
        answer = self.http.request(
            "PUT",
            route,
            content=self.limits.join(records),
            headers={"Content-Type": "text/csv", "Authorization": self.settings.authorization},
            params={"project_id": self.settings.project_id},
        )
        return _read(answer)


def _read(answer: Answer | Reply) -> Reply:
    """Read a reply: a refusal is of the whole table, and may list up to ten of its rows."""
    if not isinstance(answer, Answer):
        return answer
    body = read_object(answer)
    if body is None:
        return UNREADABLE
    if answer.status in {codes.BAD_REQUEST, codes.UNPROCESSABLE_ENTITY}:
        # what it says of rows may hold their values
        failed = body.get("failed_records")
        count = len(failed) if isinstance(failed, list) else 0
        return Unnamed(f"the table was refused, {count} of its rows by name")
    if body.get("code") == codes.OK or body.get("status") == "OK":
        return Taken()
    return UNREADABLE
