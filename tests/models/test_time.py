"""Time moves on over one warehouse and nothing is loaded: each build equals a full refresh then.

What is made anew by each build does so by itself. What is carried from one build to the next must
follow the clock all the same: whom a segment's members tie together is known from its load on.
"""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import duckdb
import pytest
from dbt import tracking

from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.server import serve_in_thread
from loaders.customerio.api import load_api
from loaders.customerio.api_pace import Timing
from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from tests.models.test_increments import carrying, differences
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PEOPLE = "dev_as_of_20260901t000000_intermediate.int_person_deliveries"
CLOCKS = {f"macro.customerio_warehouse.{name}" for name in ("as_of", "window_start", "in_window")}
# an id ties two people together, no more by the second load, and again by the third
LOADS = {
    AS_OF - timedelta(days=1): ("1", "2"),
    AS_OF + timedelta(minutes=30): ("1",),
    AS_OF + timedelta(hours=20): ("1", "2"),
}


def member(number: str) -> dict[str, str]:
    """A profile of the first person, under an id of one of two."""
    return {"cio_id": "c1", "id": f"u{number}", "email": f"{number}@example.com"}


def event(number: int, day: int, metric: str) -> dict[str, Any]:
    """What happened to a person's message on a day of the fortnight around the first build."""
    at = AS_OF + timedelta(days=day, hours=12)
    who = {"id": f"u{number}", "email": f"{number}@example.com", "cio_id": f"c{number}"}
    about = {"delivery_id": f"d{number}-{day}", "campaign_id": 7, "identifiers": who}
    name = f"{number}-{day}-{metric}"
    return {
        "event_id": name,
        "object_type": "email",
        "metric": metric,
        "timestamp": int(at.timestamp()),
        "data": about,
    }


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Messages of three people before and after the first build, and three loads of a segment."""
    folder = tmp_path_factory.mktemp("time")
    home = Home(folder / "home")
    home.make()
    lines = [
        json.dumps(event(number, day, metric))
        for number in (1, 2, 3)
        for day in (-7, -1, 0, 7)
        for metric in ("sent", "delivered", "clicked")
    ]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    load(home, "webhooks", [str(folder / "events.jsonl")])
    workspace = Workspace(campaigns=[], segments=[{"id": 1, "name": "VIP"}], members={})
    with (
        serve_in_thread(customerio_app.create_app(workspace)) as url,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("DLT_PROJECT_DIR", str(folder))
        environment.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        environment.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        for at, numbers in LOADS.items():
            workspace.members["1"] = [member(number) for number in numbers]
            load_api(home, resources=["membership"], timing=ticking(at))
    return home


def ticking(at: datetime) -> Timing:
    ticks = count()
    began = at.replace(tzinfo=None)
    return Timing(now=lambda: began + timedelta(microseconds=next(ticks)))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The project as it is for cron: no instant is given, so that a build is as of its start."""
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    given = {"as_of": AS_OF.isoformat()}
    parsed = parse(home, ROOT / "fakes" / "company", folder / "target", given)
    return replace(parsed, variables={})


@contextmanager
def clock(at: datetime) -> Iterator[None]:
    """Let builds start at an instant."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # noqa: ANN401 - as the method has it
            return at.astimezone(tz)

    with patch.object(tracking, "datetime", Then):
        yield


def moving_with_time(models: Models) -> list[str]:
    """Selects the models that time alone can change and that are carried, or lead to one that is.

    Of what `carrying` selects all others are the same at whatever instant they are built.
    """
    manifest = models.manifest
    clocks = [key for key, node in nodes(models) if CLOCKS & set(node.depends_on.macros)]
    carried = [key for key, node in nodes(models) if node.config.materialized == "incremental"]
    found = reached(clocks, manifest.child_map) & reached(carried, manifest.parent_map)
    names = [node.name for key, node in nodes(models) if key in found]
    assert names
    return ["--select", *names]


def nodes(models: Models) -> list[tuple[str, Any]]:
    """The models, but for the observations of what was built and sent."""
    every = models.manifest.nodes.items()
    return [
        (key, node)
        for key, node in every
        if node.resource_type == "model" and "operations" not in node.fqn
    ]


def reached(keys: list[str], neighbours: dict[str, list[str]]) -> set[str]:
    """Nodes that can be reached from these, and these themselves."""
    found: set[str] = set()
    left = list(keys)
    while left:
        key = left.pop()
        if key not in found:
            found.add(key)
            left += neighbours.get(key, [])
    return found


def build(models: Models, home: Home, at: datetime, selected: list[str]) -> None:
    with clock(at):
        models.run(home, arguments=selected)


def copy(home: Home, folder: Path) -> Home:
    other = Home(folder)
    other.make()
    shutil.copyfile(home.warehouse, other.warehouse)
    return other


def people(home: Home) -> int:
    """Of how many people the messages are."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return len(connection.execute(f"select distinct person_id from {PEOPLE}").fetchall())


def test_a_build_after_time_has_passed_equals_a_full_refresh(
    models: Models, loaded: Home, tmp_path: Path
) -> None:
    models.run(loaded, "seed")
    build(models, loaded, AS_OF, carrying(models))
    selected = moving_with_time(models)
    found = [people(loaded)]
    # and until every message is older than a window of 30 days
    for after in (timedelta(hours=1), timedelta(days=1), timedelta(days=45)):
        build(models, loaded, AS_OF + after, selected)
        found.append(people(loaded))
    assert found == [2, 3, 2, 2]
    fresh = copy(loaded, tmp_path / "fresh")
    build(models, fresh, AS_OF + after, ["--full-refresh", *selected])
    assert differences(loaded, fresh) == {}
