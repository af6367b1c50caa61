"""What the tests of destinations share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reverse_etl.clock import Clock
from reverse_etl.http import Http

from .changes import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def http() -> Iterator[Http]:
    """Requests at one instant, to nobody."""
    with Http("http://127.0.0.1:9", clock=Clock(now=lambda: NOW)) as http:
        yield http
