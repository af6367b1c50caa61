"""Customer.io, asked to delete people: at once, and so that they do not come back.

https://docs.customer.io/journeys/deleting-users/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from reverse_etl.contract import Deletion, DeletionTaken, Stop, Taken
from reverse_etl.destinations.customerio_batch import LIMITS, PATH, send
from reverse_etl.destinations.customerio_rules import KINDS
from reverse_etl.destinations.settings_rules import absent
from reverse_etl.profile_keys import split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reverse_etl.contract import Reply
    from reverse_etl.destinations.customerio_settings import CustomerioSettings
    from reverse_etl.http import Http


def _suppress(
    settings: CustomerioSettings, http: Http, identifiers: Sequence[str]
) -> DeletionTaken | Reply:
    """Delete profiles for good, and keep their identifiers from coming back.

    `suppress` does both. A `delete` before it would leave a profile's other identifiers free: those
    of a profile that is still there are suppressed with the one named.
    """
    items = []
    for identifier in identifiers:
        parts = split(identifier)
        if parts is None:
            return Stop("knows people by their kind of identifier, and one here has none")
        kind, value = parts
        items.append({"type": "person", "identifiers": {KINDS[kind]: value}, "action": "suppress"})
    content = LIMITS.join([orjson.dumps(item) for item in items])
    reply = send(settings, http, PATH, content, len(items))
    is_taken = reply == Taken()
    return DeletionTaken("deleted and suppressed", end="done") if is_taken else reply


DELETIONS = (
    Deletion(
        covers="everything",
        documentation="https://docs.customer.io/journeys/deleting-users/",
        request=f"POST /{PATH} (suppress)",
        limit=1_000,
        missing=lambda settings: absent(site_id=settings.site_id, api_key=settings.api_key),
        url=lambda settings: str(settings.url),
        ask=_suppress,
    ),
)
