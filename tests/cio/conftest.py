"""A small world, loaded, built and delivered once a run, for every test of a command to read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from cio.demo import FILES, VENDORS, stand_ins
from fakes.population import WorldSettings, generate
from loaders.run import load
from reverse_etl.credentials import variable
from reverse_etl.run import Room, run_syncs
from tests.conftest import ROOT
from tests.models.models_in_process import parse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

WORLD = WorldSettings(people=400, seed=7)
AS_OF = "2026-09-01T00:00:00+00:00"
COMPANY = "fakes/company"
DELIVERED = (
    "amplitude_message_events",
    "google_suppressed_members",
    "mixpanel_audience_members",
    "mixpanel_message_events",
    "segment_message_events",
)
"""The syncs that were run: each costs a second and more."""

SENT_AT = 1788048000  # 2026-08-30

_EVENT = (
    '{{"event_id": "{event}", "object_type": "email", "metric": "{metric}", "timestamp": {at},'
    ' "data": {{"delivery_id": "{delivery}", "campaign_id": 7,'
    ' "identifiers": {{"id": "{person}", "email": "{email}", "cio_id": "{cio}"}}}}}}'
)
CLICK = "01M1D3R87004KB5QX5DCKTNWK7"
_ANN = {"person": "7", "email": "Ann@Example.com", "cio": "c7", "delivery": "d7"}
_TWIN = {"person": "8", "email": "pair@example.com", "cio": "c8", "delivery": "d8"}
_OTHER = {"person": "9", "email": "pair@example.com", "cio": "c9", "delivery": "d9"}
EVENTS = (
    _EVENT.format(event="e1", metric="delivered", at=SENT_AT, **_ANN),
    _EVENT.format(event=CLICK, metric="clicked", at=SENT_AT + 60, **_ANN),
    _EVENT.format(event="e3", metric="delivered", at=SENT_AT, **_TWIN),
    _EVENT.format(event="e4", metric="delivered", at=SENT_AT, **_OTHER),
)
"""Beside the world: Ann, who clicked, and two people with one address."""


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the world, built as of `AS_OF` and delivered; only to be read."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    home = Home(folder / "built-world")
    with FileLock(folder / "built-world.lock"):
        if not (home.root / "finished").exists():
            shutil.rmtree(home.root, ignore_errors=True)
            _make(home)
            (home.root / "finished").touch()
    return home.root


@pytest.fixture
def copied_world(built_world: Path, tmp_path: Path) -> Path:
    """A copy of the home that may be written."""
    return shutil.copytree(built_world, tmp_path / "home")


def credentials(home: Path) -> dict[str, str]:
    """The environment in which the home's syncs are active; nobody listens at their addresses."""
    found = {}
    for name, vendor in VENDORS.items():
        port = (home / "fakes" / f"{name}.port").read_text(encoding="utf-8")
        settings = vendor.settings(f"http://127.0.0.1:{port}")
        found |= {variable(name, key): value for key, value in settings.items()}
    return found


def _make(home: Home) -> None:
    home.make()
    world = home.root / "world"
    generate(WORLD, world)
    (home.root / "more.jsonl").write_text("\n".join(EVENTS) + "\n", encoding="utf-8")
    for path in (world / "webhooks", home.root / "more.jsonl"):
        load(home, "webhooks", [str(path)], complete_through=WORLD.ends_at)
    for feed in ("orders", "people"):
        load(home, feed, [str(world / FILES[feed])], complete_through=WORLD.ends_at)
    models = parse(home, ROOT / COMPANY, home.root / "unused", {"as_of": AS_OF})
    models.run(home, "build", ["--exclude-resource-type", "unit_test"])
    models.write_manifest(home)
    with stand_ins(home, WORLD):
        manifest = home.root / "target" / "manifest.json"
        runs = run_syncs(Room(home=home, manifest=manifest, select=DELIVERED))
    assert [run.state for run in runs] == ["done"] * len(DELIVERED)
