"""Who may post: addresses and basic auth, beside the signature."""

from __future__ import annotations

import base64
import hmac
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, TypeAlias

from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network

    from warehouse.secrets import Secret

Network: TypeAlias = "IPv4Network | IPv6Network"


def networks(texts: Sequence[str], *, option: str) -> tuple[Network, ...]:
    """Addresses and ranges such as `203.0.113.7` or `10.0.0.0/8`.

    Raises:
        UsageError: One is neither; the message names the option.
    """
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
        except ValueError as error:
            message = f"{option} {text}: {error}; write an address or a range such as 10.0.0.0/8"
            raise UsageError(message) from error
    return tuple(found)


class Addresses:
    """The addresses that may post, seen through proxies that are trusted to name them."""

    def __init__(self, allowed: Sequence[Network], proxies: Sequence[Network]) -> None:
        """Allow everybody if `allowed` is empty; believe `X-Forwarded-For` from `proxies` only."""
        self._allowed = tuple(allowed)
        self._proxies = tuple(proxies)
        self._decide = lru_cache(maxsize=1024)(self._decision)

    def let_in(self, peer: str, forwarded_for: bytes) -> bool:
        """Whether a request may go on.

        Args:
            peer: The address the connection comes from.
            forwarded_for: The header `X-Forwarded-For`, or nothing.
        """
        return not self._allowed or self._decide(peer, forwarded_for)

    def _decision(self, peer: str, forwarded_for: bytes) -> bool:
        client = _address(peer)
        hops = forwarded_for.decode("latin-1").split(",") if forwarded_for else []
        # the last hop is what the nearest proxy saw; anything left of an address that is not a
        # trusted proxy was written by that client itself
        while hops and client is not None and _is_in(client, self._proxies):
            client = _address(hops.pop())
        return client is not None and _is_in(client, self._allowed)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_in(address: IPv4Address | IPv6Address, ranges: Sequence[Network]) -> bool:
    return any(address in each for each in ranges)


def basic_header(credentials: Secret) -> bytes:
    """The header `Authorization` that `https://user:password@host/` makes a sender write."""
    return b"Basic " + base64.b64encode(credentials.reveal().encode())


def same(expected: bytes, given: bytes) -> bool:
    """Compare in a time that does not tell where they differ."""
    return hmac.compare_digest(expected, given)
