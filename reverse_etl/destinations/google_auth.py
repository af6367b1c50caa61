"""Access tokens of Google's, for a service account's key or for a refresh token.

https://developers.google.com/identity/protocols/oauth2/service-account
https://developers.google.com/identity/protocols/oauth2/web-server#offline
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from httpx import codes

from reverse_etl.clock import milliseconds
from reverse_etl.contract import Denied, Later, Stop
from reverse_etl.credentials import NO_SECRET, Secret
from reverse_etl.http import Answer, Http
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reverse_etl.clock import Clock
    from reverse_etl.contract import Reply

SCOPE = "https://www.googleapis.com/auth/datamanager"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME_SECONDS = 3_600
_SPARE_SECONDS = 120.0
_READ = frozenset([codes.BAD_REQUEST, codes.UNAUTHORIZED, codes.FORBIDDEN])


@dataclass(frozen=True)
class Login:
    """How we are who we are: a service account's key, else a refresh token and its client.

    Attributes:
        token_url: Where tokens are had.
        service_account_key: The JSON of the key file.
        client_id: The OAuth client's id.
        client_secret: Its secret.
        refresh_token: A refresh token of the scope of the Data Manager API.
    """

    token_url: str
    service_account_key: Secret
    client_id: str
    client_secret: Secret
    refresh_token: Secret

    def form(self, clock: Clock) -> Mapping[str, str]:
        """The fields that ask for a token.

        Raises:
            UsageError: The service account's key is none.
        """
        if self.service_account_key:
            return {"grant_type": _GRANT, "assertion": self._assertion(clock)}
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret.reveal(),
            "refresh_token": self.refresh_token.reveal(),
        }

    def _assertion(self, clock: Clock) -> str:
        """A statement that we are the service account, signed with its key."""
        try:
            key = orjson.loads(self.service_account_key.reveal())
            signer = load_pem_private_key(key["private_key"].encode(), password=None)
            email, key_id = key["client_email"], key["private_key_id"]
        except (ValueError, KeyError, TypeError, AttributeError):
            signer = None
        if not isinstance(signer, rsa.RSAPrivateKey):
            message = (
                "google: service_account_key is not the JSON of a service account's key file "
                "(client_email, private_key, private_key_id)"
            )
            raise UsageError(message)
        now = milliseconds(clock.now()) // 1_000
        claims = {"iss": email, "scope": SCOPE, "aud": self.token_url, "iat": now}
        claims["exp"] = now + _LIFETIME_SECONDS
        head = {"alg": "RS256", "typ": "JWT", "kid": key_id}
        text = b".".join(map(_base64url, (orjson.dumps(head), orjson.dumps(claims))))
        signature = signer.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return b".".join((text, _base64url(signature))).decode()


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@dataclass
class Tokens:
    """The access token of a run, had anew before it expires."""

    login: Login
    clock: Clock
    _token: Secret = NO_SECRET
    _fresh_until: float = 0.0
    _turn: Lock = field(default_factory=Lock, repr=False)

    def get(self) -> Secret | Reply:
        """The token, or what hinders getting one."""
        with self._turn:
            if self._token and self.clock.monotonic() < self._fresh_until:
                return self._token
            return self._fetch()

    def _fetch(self) -> Secret | Reply:
        parts = urlsplit(self.login.token_url)
        try:
            content = urlencode(self.login.form(self.clock)).encode()
        except UsageError as error:
            return Stop(str(error))
        with Http(f"{parts.scheme}://{parts.netloc}", clock=self.clock) as http:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = http.post(parts.path, content=content, headers=headers, read=_READ)
        match answer:
            case Later(reason=reason, wait_seconds=wait):
                # no row was in this request
                return Later(
                    f"no access token: {reason}", is_maybe_accepted=False, wait_seconds=wait
                )
            case Answer(status=status) if not codes.is_success(status):
                return Denied(status)
            case Answer():
                return self._keep(answer.json())
            case _:
                return answer

    def _keep(self, body: Any) -> Secret | Reply:  # noqa: ANN401 - any JSON
        token = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token:
            return Later("no access token: another reply", is_maybe_accepted=False)
        seconds = body.get("expires_in")
        lifetime = float(seconds) if isinstance(seconds, int | float) else _SPARE_SECONDS
        self._token = Secret(token)
        self._fresh_until = self.clock.monotonic() + lifetime - _SPARE_SECONDS
        return self._token
