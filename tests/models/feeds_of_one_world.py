"""One world as webhooks, exports and the App API tell it, each feed in a warehouse of its own."""

from __future__ import annotations

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fakes import customerio_app
from fakes.customerio_app import APP_API_KEY, Workspace
from fakes.population import APP_API, EXPORTS, WorldSettings, generate
from fakes.server import serve_in_thread
from loaders.customerio.api import load_api
from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PREFIX = "dev_as_of_20260901t000000_"
DAYS = 60
SELECTED = (
    "--select",
    *("+int_deliveries", "+int_message_responses", "stg_customerio__feed_loads"),
)


@dataclass(frozen=True)
class Feeds:
    """One world, homes of its feeds, and the models over them.

    Each feed is loaded once, into a warehouse of its own in `loaded`; a home of several has the raw
    rows of each.
    """

    folder: Path
    world: Path
    models: Models
    seeded: Home
    loaded: dict[str, Home]

    def home(self, *feeds: str) -> Home:
        """A home with these feeds loaded and built."""
        home = Home(self.folder / "-".join(feeds))
        if home.warehouse.exists():
            return home
        self.copy(self.loaded[feeds[0]], home)
        for feed in feeds[1:]:
            add_raw_rows(home, self.loaded[feed])
        self.models.run(home, arguments=SELECTED)
        return home

    def copy(self, home: Home, other: Home) -> Home:
        """Another home with the same warehouse."""
        other.make()
        shutil.copyfile(home.warehouse, other.warehouse)
        return other

    def load(self, home: Home, feed: str) -> None:
        """Load all of a feed into a home."""
        if feed == "api":
            load_api(home, resources=["messages"], since=datetime(2026, 6, 1, tzinfo=UTC))
        else:
            load(home, feed, [str(self.world / feed)])


def add_raw_rows(home: Home, loaded: Home) -> None:
    """Give a home the loads of another."""
    with open_warehouse(home, purpose="add raw rows") as connection:
        connection.execute(f"attach '{loaded.warehouse}' as other (read_only)")
        tables = connection.execute(
            "select table_name from duckdb_tables() "
            "where database_name = 'other' and schema_name = 'raw_customerio'"
        ).fetchall()
        for (table,) in tables:
            name = f"raw_customerio.{table}"
            connection.execute(f"create table if not exists {name} as from other.{name} limit 0")
            connection.execute(f"insert into {name} by name from other.{name}")
        connection.execute("detach other")


@contextmanager
def feeds_of_one_world(folder: Path) -> Iterator[Feeds]:
    """The world, told by each of the feeds; the App API answers until the end."""
    settings = WorldSettings(people=120, seed=5, days=DAYS)
    world = generate(settings, folder / "world", more_feeds=frozenset({EXPORTS, APP_API})).folder
    home = Home(folder / "seeded")
    home.make()
    variables = {"as_of": AS_OF.isoformat()}
    models = parse(home, ROOT / "fakes" / "company", folder / "target", variables)
    workspace = Workspace(**json.loads((world / "app_api.json").read_text()))
    with (
        pytest.MonkeyPatch.context() as patch,
        serve_in_thread(customerio_app.create_app(workspace, requests_per_second=10_000)) as url,
    ):
        patch.setenv("DLT_PROJECT_DIR", str(folder))
        patch.setenv("LOADERS__CUSTOMERIO__APP_API_KEY", APP_API_KEY)
        patch.setenv("LOADERS__CUSTOMERIO__BASE_URL", f"{url}/v1")
        models.run(home, "seed")
        loaded = {feed: Home(folder / f"loaded-{feed}") for feed in ("webhooks", "exports", "api")}
        feeds = Feeds(folder, world, models, home, loaded)
        for feed, alone in loaded.items():
            feeds.load(feeds.copy(home, alone), feed)
        yield feeds
