"""The vendor's signature: HMAC-SHA256 over `v0:<timestamp>:<body>`.

https://docs.customer.io/journeys/webhooks/#securely-verify-requests: the headers are
`X-CIO-Timestamp` (unix seconds when the request was sent) and `X-CIO-Signature` (hex).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from warehouse.secrets import Secret

SIGNATURE_HEADER = b"x-cio-signature"
TIMESTAMP_HEADER = b"x-cio-timestamp"


class Signatures:
    """The keys that may have signed a request: one, or two while a key is replaced."""

    def __init__(self, keys: Sequence[Secret]) -> None:
        """Take the keys; there must be one."""
        self._started = [hmac.new(key.reveal().encode(), b"v0:", hashlib.sha256) for key in keys]

    def begin(self, timestamp: bytes) -> Check:
        """Start to check a request that carries this timestamp."""
        check = Check([started.copy() for started in self._started])
        check.update(timestamp)
        check.update(b":")
        return check


class Check:
    """The check of one request, fed with its body piece by piece."""

    def __init__(self, hashes: Sequence[hmac.HMAC]) -> None:
        """Go on from hashes, one a key."""
        self._hashes = hashes

    def update(self, piece: bytes) -> None:
        """Take the next bytes of what is signed, exactly as they came."""
        for each in self._hashes:
            each.update(piece)

    def matches(self, signature: bytes) -> bool:
        """Whether one of the keys gives this signature; takes the same time whichever does."""
        given = signature.strip().lower()
        results = [hmac.compare_digest(each.hexdigest().encode(), given) for each in self._hashes]
        return any(results)
