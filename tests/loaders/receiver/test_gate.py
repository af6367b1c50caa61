"""Addresses and networks."""

from __future__ import annotations

import pytest

from loaders.receiver.gate import Addresses, networks
from warehouse.errors import UsageError


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "is_let_in"),
    [
        ("203.0.113.7", b"", True),
        ("::ffff:203.0.113.7", b"", True),
        ("2001:db8::1", b"", True),
        ("198.51.100.1", b"", False),
        ("", b"", False),
        # only a trusted proxy is believed
        ("198.51.100.1", b"203.0.113.7", False),
        ("10.0.0.1", b"203.0.113.7", True),
        ("10.0.0.1", b"203.0.113.7, 10.0.0.2", True),
        # what stands left of the first address that is no proxy was made up by it
        ("10.0.0.1", b"203.0.113.7, 198.51.100.1, 10.0.0.2", False),
        ("10.0.0.1", b"nonsense", False),
        ("10.0.0.1", b"", False),
    ],
)
def test_the_nearest_address_that_is_no_proxy_decides(
    peer: str, forwarded_for: bytes, *, is_let_in: bool
) -> None:
    gate = Addresses(
        networks(["203.0.113.0/24", "2001:db8::/32"], option="--allow-ip"),
        networks(["10.0.0.0/8"], option="--trust-proxy"),
    )
    assert gate.let_in(peer, forwarded_for) is is_let_in


def test_without_a_list_everybody_is_let_in() -> None:
    assert Addresses((), ()).let_in("198.51.100.1", b"")


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "example.com", ""])
def test_what_is_no_network_is_named_with_its_option(text: str) -> None:
    with pytest.raises(UsageError, match="--allow-ip"):
        networks([text], option="--allow-ip")
