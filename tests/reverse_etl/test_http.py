from __future__ import annotations

from datetime import datetime

import pytest

from reverse_etl.clock import Clock
from reverse_etl.contract import Stop
from reverse_etl.delivery import Delivery
from reverse_etl.http import Http, is_loopback, retry_after

NOW = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - naive UTC, as every instant


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("1.5", 1.5),
        ("-3", 0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30),
        ("Sun, 01 Mar 2026 14:00:30 +0200", 30),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, now=NOW) == seconds


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:80", True),
        ("http://127.9.9.9", True),
        ("http://localhost", True),
        ("http://[::1]:1/x", True),
        ("https://api.mixpanel.com", False),
        ("http://localhost.example.com", False),
        ("http://10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_alone(url: str, *, expected: bool) -> None:
    assert is_loopback(url) is expected


def test_a_base_url_that_is_none_stops_the_sync() -> None:
    with Http("nonsense", clock=Clock(now=lambda: NOW)) as http:
        assert http.post("import", content=b"", headers={}) == Stop("the base URL is not a URL")


def test_what_the_vendor_asks_for_takes_the_place_of_doubling() -> None:
    delivery = Delivery(jitter_seconds=2)
    assert delivery.wait(1, chance=0.0, asked=None) == 2
    assert delivery.wait(99, chance=0.5, asked=None) == 61
    assert delivery.wait(5, chance=0.5, asked=7) == 8
