"""One attempt at a batch of Customer.io's Track API, and what the reply says of its items.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from httpx import codes

from reverse_etl.contract import Limits, Taken, Unnamed
from reverse_etl.destinations import customerio_rules as rules
from reverse_etl.destinations.replies import UNREADABLE, read_object
from reverse_etl.http import Answer

if TYPE_CHECKING:
    from reverse_etl.contract import Reply
    from reverse_etl.destinations.customerio_settings import CustomerioSettings
    from reverse_etl.http import Http

PATH = "api/v2/batch"
# the count of items has no limit of its own; "100 requests per second" is the oldest fair use
LIMITS = Limits(
    records=1_000,
    size=rules.MAX_BATCH_BYTES - 1,
    record_size=rules.MAX_ITEM_BYTES,
    requests_per_second=100.0,
    connections=4,
    prefix=b'{"batch":[',
    separator=b",",
    suffix=b"]}",
)


def send(settings: CustomerioSettings, http: Http, path: str, content: bytes, count: int) -> Reply:
    """Make one attempt, and read the reply."""
    answer = http.post(path, content=content, headers=settings.headers)
    return read(answer, count) if isinstance(answer, Answer) else answer


def read(answer: Answer, count: int) -> Reply:
    """Read a reply to a batch: its status alone says nothing of its items."""
    body = read_object(answer)
    errors = None if body is None else body.get("errors", [])
    if not isinstance(errors, list):
        return UNREADABLE
    if answer.status >= codes.BAD_REQUEST:
        return Unnamed(rules.words(errors[0] if errors else None))
    if not errors and answer.status == codes.MULTI_STATUS:
        return UNREADABLE
    refused: dict[int, str] = {}
    for error in errors:
        index = error.get("batch_index") if isinstance(error, dict) else None
        if type(index) is not int or not 0 <= index < count:
            return Unnamed("refused some of the batch, and the reply does not say which")
        refused.setdefault(index, rules.words(error))
    return Taken(refused)
