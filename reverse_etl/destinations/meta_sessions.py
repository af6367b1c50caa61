"""Meta's sessions: what it counts together, and what its counts say of the rows.

A 200 says nothing of the rows: of those counted as invalid the samples may name some, in no order;
where they name all, those are refused, else the batch is halved until the bad ones stand alone.

https://developers.facebook.com/docs/marketing-api/reference/custom-audience/users
https://developers.facebook.com/docs/marketing-api/reference/custom-audience/usersreplace
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from reverse_etl.contract import Taken, Unnamed
from reverse_etl.destinations.replies import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reverse_etl.contract import Reply

_SESSION_BITS = 62
_MOST_SOUGHT = 100
"""Bad rows of a batch that are looked for by halving; more would take thousands of requests."""


@dataclass
class Session:
    """What Meta counts together.

    Attributes:
        number: Its number, any within the ad account.
        batch: The number of the next request. One whose reply was lost bears the same when it is
            sent again; that Meta tells it by that is documented nowhere, and where it does not, it
            gives the session up.
        received: Rows that Meta counted so far.
        invalid: Those among them that it counted as invalid.
    """

    number: int = field(default_factory=lambda: secrets.randbits(_SESSION_BITS))
    batch: int = 1
    received: int = 0
    invalid: int = 0

    def told(self, rows: int, *, is_last: bool) -> bytes:
        """The session as a request tells of it; of how many there will be only where it ends."""
        session: dict[str, Any] = {
            "session_id": self.number,
            "batch_seq": self.batch,
            "last_batch_flag": is_last,
        }
        return orjson.dumps(session | ({"estimated_num_total": rows} if is_last else {}))

    def read(self, body: Mapping[str, Any], records: Sequence[bytes]) -> Reply:
        """What the counts of a reply say of the rows, beside what the session had before."""
        counts = _counts(body)
        if counts is None:
            return UNREADABLE
        received, invalid = counts[0] - self.received, max(counts[1] - self.invalid, 0)
        self.batch += 1
        self.received, self.invalid = counts
        if received != len(records):
            return _unsure(f"Meta counted {received} of {len(records)} rows", records)
        if invalid == 0:
            return Taken()
        samples = read_samples(body.get("invalid_entry_samples"))
        named = [i for i, record in enumerate(records) if any(s in record for s in samples)]
        if len(named) == invalid:
            return Taken(dict.fromkeys(named, "invalid, says Meta"))
        if _MOST_SOUGHT < invalid < received:
            return _unsure(f"{invalid} of {received} rows invalid, too many to look for", records)
        return Unnamed(f"{invalid} of {len(records)} rows invalid, and Meta does not say which")


def _unsure(reason: str, records: Sequence[bytes]) -> Taken:
    return Taken(unsure=dict.fromkeys(range(len(records)), reason))


def _counts(body: Mapping[str, Any]) -> tuple[int, int] | None:
    received, invalid = body.get("num_received"), body.get("num_invalid_entries")
    if type(received) is not int or type(invalid) is not int:
        return None
    return received, min(invalid, received)


def read_samples(samples: Any) -> list[bytes]:  # noqa: ANN401 - any JSON
    """The samples' digests; they come as a list or as a map, of texts or of rows."""
    if isinstance(samples, dict):
        return [text for pair in samples.items() for text in read_samples(list(pair))]
    if isinstance(samples, list):
        return [text for each in samples for text in read_samples(each)]
    is_digest = isinstance(samples, str) and len(samples) == hashlib.sha256().digest_size * 2
    return [samples.encode()] if is_digest else []
