"""What the stand-in of Google's Data Manager API checks of a request.

Source: https://developers.google.com/data-manager/api/reference/rest/v1/audienceMembers/ingest
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from fakes.hashed_members import DIGEST
from fakes.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_MEMBERS = 10_000
MAX_IDENTIFIERS = 10
MAX_DESTINATIONS = 10
SCOPE = "https://www.googleapis.com/auth/datamanager"
_ALWAYS = frozenset({"destinations", "audienceMembers", "encoding", "validateOnly"})
_OF_REMOVE_ALL = frozenset({"destinations", "removeAsOfTime", "validateOnly"})
_OF_INGEST = frozenset({"consent", "termsOfService"})
_CONSENT_NAMES = ("CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED")
_CONSENTS = frozenset(_CONSENT_NAMES)
_ADDRESS = frozenset({"givenName", "familyName", "regionCode", "postalCode"})


_NAMES = {
    "accountType": ("ACCOUNT_TYPE_UNSPECIFIED", "GOOGLE_ADS"),
    "adUserData": _CONSENT_NAMES,
    "adPersonalization": _CONSENT_NAMES,
    "encoding": ("ENCODING_UNSPECIFIED", "HEX", "BASE64"),
    "customerMatchTermsOfServiceStatus": (
        *("TERMS_OF_SERVICE_STATUS_UNSPECIFIED", "ACCEPTED", "REJECTED"),
    ),
    "uploadKeyTypes": (
        *("UPLOAD_KEY_TYPE_UNSPECIFIED", "CONTACT_ID", "MOBILE_ID", "USER_ID", "PAIR_ID"),
    ),
}


def named(body: Any, key: str = "") -> Any:  # noqa: ANN401 - any JSON
    """A request with the names of enumerations in place of their numbers.

    JSON of protocol buffers may have either; Google's own client sends numbers.
    """
    if isinstance(body, dict):
        # ten thousand members have no enumerations but consents of their own, which are not read
        return {k: v if k == "audienceMembers" else named(v, k) for k, v in body.items()}
    if isinstance(body, list):
        return [named(each, key) for each in body]
    names = _NAMES.get(key, ())
    return names[body] if type(body) is int and 0 <= body < len(names) else body


def refusal(*, path: str, reason: str) -> Refusal:
    """A 400 that names a field by its path."""
    violation = {"field": path, "description": "invalid", "reason": reason}
    details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "datamanager.googleapis.com",
        },
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]},
    ]
    error = {"code": 400, "status": "INVALID_ARGUMENT", "message": "There was a problem"}
    return Refusal(400, {"error": error | {"details": details}})


def check_request(
    body: Any,  # noqa: ANN401 - any JSON
    account: str,
    lists: Collection[str],
    *,
    is_ingest: bool,
) -> None:
    """Check all of a request but its members."""
    allowed = _ALWAYS | (_OF_INGEST if is_ingest else frozenset())
    if not isinstance(body, dict) or not set(body) <= allowed:
        raise refusal(path="", reason="INVALID_FORMAT")
    _check_destinations(body, account, lists)
    if body.get("encoding") not in {"HEX", "BASE64"}:
        raise refusal(path="encoding", reason="INVALID_ENUM_VALUE")
    if is_ingest:
        terms = body.get("termsOfService") or {}
        if terms.get("customerMatchTermsOfServiceStatus") != "ACCEPTED":
            raise refusal(path="terms_of_service", reason="TERMS_AND_CONDITIONS_NOT_SIGNED")
        if not set((body.get("consent") or {}).values()) <= _CONSENTS:
            raise refusal(path="consent", reason="INVALID_ENUM_VALUE")


def check_remove_all(
    body: Any,  # noqa: ANN401 - any JSON
    account: str,
    lists: Collection[str],
    now: float,
) -> float:
    """Check a request that empties lists; returns the instant that it reaches up to.

    Args:
        body: The request.
        account: The account.
        lists: Its lists.
        now: The present, in seconds since the epoch, which is where it reaches if it does not say.

    Returns:
        Seconds since the epoch.
    """
    if not isinstance(body, dict) or not set(body) <= _OF_REMOVE_ALL:
        raise refusal(path="", reason="INVALID_FORMAT")
    _check_destinations(body, account, lists)
    if "removeAsOfTime" not in body:
        return now
    try:
        instant = datetime.fromisoformat(body["removeAsOfTime"])
    except (TypeError, ValueError):
        raise refusal(path="remove_as_of_time", reason="INVALID_FORMAT") from None
    if instant.tzinfo is None or instant.timestamp() > now:
        raise refusal(path="remove_as_of_time", reason="INVALID_REMOVE_AS_OF_TIME")
    return instant.timestamp()


def _check_destinations(body: dict[str, Any], account: str, lists: Collection[str]) -> None:
    destinations = body.get("destinations")
    if not isinstance(destinations, list) or not destinations:
        raise refusal(path="destinations", reason="REQUIRED_FIELD_MISSING")
    if len(destinations) > MAX_DESTINATIONS:
        raise refusal(path="destinations", reason="TOO_MANY_DESTINATIONS")
    for index, destination in enumerate(destinations):
        _check_destination(destination, f"destinations[{index}]", account, lists)


def _check_destination(
    destination: Any,  # noqa: ANN401 - any JSON
    path: str,
    account: str,
    lists: Collection[str],
) -> None:
    operating = destination.get("operatingAccount") if isinstance(destination, dict) else None
    if operating != {"accountType": "GOOGLE_ADS", "accountId": account}:
        raise refusal(path=f"{path}.operating_account", reason="INVALID_DESTINATION")
    if destination.get("productDestinationId") not in lists:
        raise refusal(path=f"{path}.product_destination_id", reason="INVALID_USER_LIST_ID")


def check_members(body: Any, refused: Collection[str]) -> list[dict[str, str]]:  # noqa: ANN401 - any JSON
    """The members as digests by key; the first that is wrong fails them all."""
    members = body.get("audienceMembers")
    if not isinstance(members, list) or not members:
        raise refusal(path="audience_members", reason="REQUIRED_FIELD_MISSING")
    if len(members) > MAX_MEMBERS:
        raise refusal(path="audience_members", reason="TOO_MANY_AUDIENCE_MEMBERS")
    return [
        _member(member, f"audience_members[{index}]", refused)
        for index, member in enumerate(members)
    ]


def _member(member: Any, path: str, refused: Collection[str]) -> dict[str, str]:  # noqa: ANN401 - any JSON
    if not isinstance(member, dict) or set(member) - {"consent"} != {"userData"}:
        raise refusal(path=path, reason="INVALID_AUDIENCE_MEMBER")
    found = member["userData"].get("userIdentifiers")
    path = f"{path}.user_data.user_identifiers"
    if not isinstance(found, list) or not found:
        raise refusal(path=path, reason="NO_IDENTIFIERS_PROVIDED")
    if len(found) > MAX_IDENTIFIERS:
        raise refusal(path=path, reason="TOO_MANY_USER_IDENTIFIERS")
    row: dict[str, str] = {}
    for index, identifier in enumerate(found):
        if not isinstance(identifier, dict) or len(identifier) != 1:
            raise refusal(path=f"{path}[{index}]", reason="MULTIPLE_DATA_TYPES_NOT_ALLOWED")
        ((key, value),) = identifier.items()
        if key == "address":
            _check_address(value, f"{path}[{index}].address")
            continue
        if key not in {"emailAddress", "phoneNumber"}:
            raise refusal(path=f"{path}[{index}]", reason="INVALID_FORMAT")
        if not isinstance(value, str) or not DIGEST.fullmatch(value) or value in refused:
            raise refusal(path=f"{path}[{index}].{key}", reason="INVALID_HEX_ENCODING")
        row[key] = value
    return row


def _check_address(address: Any, path: str) -> None:  # noqa: ANN401 - any JSON
    if not isinstance(address, dict) or set(address) != _ADDRESS:
        raise refusal(path=path, reason="REQUIRED_FIELD_MISSING")
    for name in ("givenName", "familyName"):
        if not DIGEST.fullmatch(str(address[name])):
            raise refusal(path=f"{path}.{name}", reason="INVALID_HEX_ENCODING")


def consent_problem(body: Any, rows: int) -> dict[str, int]:  # noqa: ANN401 - any JSON
    """Why nobody of a request is used, if nobody is: both consents must be granted."""
    consent = body.get("consent") or {}
    given = {consent.get("adUserData"), consent.get("adPersonalization")}
    if "CONSENT_DENIED" in given:
        return {"PROCESSING_ERROR_REASON_DENIED_CONSENT": rows}
    if given != {"CONSENT_GRANTED"}:
        return {"PROCESSING_ERROR_REASON_NO_CONSENT": rows}
    return {}


def is_signed_by(assertion: str, public_key: str, audience: str) -> bool:
    """Whether a service account's statement holds: signed, for us, and of the right scope."""
    text, _, signature = assertion.rpartition(".")
    if not public_key or text.count(".") != 1:
        return False
    try:
        key = load_pem_public_key(public_key.encode())
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(_decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())
        head, claims = (orjson.loads(_decode(part)) for part in text.split("."))
    except (InvalidSignature, binascii.Error, orjson.JSONDecodeError):
        return False
    return bool(
        head["alg"] == "RS256"
        and claims["aud"] == audience
        and claims["scope"] == SCOPE
        and claims["iss"]
        and 0 < claims["exp"] - claims["iat"] <= 3_600  # noqa: PLR2004 - an hour
    )


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
