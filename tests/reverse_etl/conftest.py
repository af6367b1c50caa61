from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from fakes import mixpanel
from fakes.server import serve_in_thread
from reverse_etl.run import Room

from .world import FastClock, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Fake:
    """The stand-in of Mixpanel as a test sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=30)

    def get(self, path: str) -> object:
        return self._client.get(f"/_fake/{path}").json()

    def fail(self, *failures: dict[str, Any]) -> None:
        self._client.post("/_fake/script", json=list(failures))

    def release(self) -> None:
        self._client.post("/_fake/release")

    def wait_until_held(self, count: int) -> None:
        """Wait on the condition that so many requests are held."""
        deadline = monotonic() + 60
        while self.get("held")["held"] < count:
            assert monotonic() < deadline, f"no {count} requests came to be held"

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.get("events")

    @property
    def members(self) -> set[tuple[str, str]]:
        return {
            (person, label)
            for person, profile in self.get("profiles").items()
            for label in profile.get("cio_audiences", [])
        }

    @property
    def requests(self) -> list[dict[str, Any]]:
        return self.get("requests")

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    with serve_in_thread(mixpanel.create_app()) as url:
        fake = Fake(url)
        yield fake
        fake.release()
        fake.close()


@pytest.fixture(autouse=True)
def _configured(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # nobody's own settings files
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DLT_PROJECT_DIR", str(tmp_path))
    monkeypatch.setenv("REVERSE_ETL__MIXPANEL__PROJECT_TOKEN", mixpanel.TOKEN)
    if "fake" in request.fixturenames:
        url = request.getfixturevalue("fake").url
        monkeypatch.setenv("REVERSE_ETL__MIXPANEL__BASE_URL", url)


@pytest.fixture
def time() -> FastClock:
    return FastClock()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World.make(tmp_path)


@pytest.fixture
def room(world: World, time: FastClock) -> Callable[..., Room]:
    def make(**values: object) -> Room:
        return Room(world.home, world.manifest, **({"clock": time.clock()} | values))

    return make
