"""A stand-in, running, with a client that looks into it; and settings that lead a sync there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from fakes.server import serve_in_thread
from reverse_etl.credentials import variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest
    from starlette.types import ASGIApp


@contextmanager
def running(app: ASGIApp) -> Iterator[httpx.Client]:
    """A stand-in on a port of its own while the block runs, and a client of it."""
    with (
        serve_in_thread(app) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def configure(
    monkeypatch: pytest.MonkeyPatch, destination: str, settings: Mapping[str, str]
) -> None:
    """Give a destination its settings, as a user does in the environment."""
    for key, value in settings.items():
        monkeypatch.setenv(variable(destination, key), value)
