"""How Standard Webhooks signs a request: an HMAC over its id, its moment and its body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

from reverse_etl.clock import milliseconds
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from reverse_etl.clock import Clock
    from reverse_etl.credentials import Secret

_PREFIX = "whsec_"


def read_key(secret: Secret) -> bytes:
    """The bytes that sign: of `whsec_` and base64, else of the text.

    Raises:
        UsageError: It says that it is base64 and is not.
    """
    text = secret.reveal()
    if not text.startswith(_PREFIX):
        return text.encode()
    try:
        return base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        message = f"webhook: what follows {_PREFIX} in signing_secret is not base64"
        raise UsageError(message) from None


def sign(body: bytes, secret: Secret, clock: Clock) -> dict[str, str]:
    """The headers that say which body it is, when it left, and that it is ours."""
    moment = str(milliseconds(clock.now()) // 1000)
    message_id = "msg_" + hashlib.sha256(body).hexdigest()
    signed = f"{message_id}.{moment}.".encode() + body
    digest = hmac.new(read_key(secret), signed, hashlib.sha256).digest()
    return {
        "Idempotency-Key": message_id,
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
