"""Whatever is loaded in whatever order, with builds in between, comes to what one build makes.

Parts of all feeds come early, late, again and again; builds stop half way or do not happen.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from loaders.run import load
from tests.models.feeds_of_one_world import Feeds, add_raw_rows, feeds_of_one_world
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

RAW = (
    *("raw_customerio.webhook_events", "raw_customerio.export_deliveries"),
    *("raw_customerio.export_metrics", "raw_customerio.api_messages", "raw_commerce.orders"),
    *("raw_commerce.refunds", "raw_people.people", "raw_people.merges"),
)
OF_DELIVERIES = RAW[:4]
CSV_FEEDS = ("orders", "refunds", "people", "merges")
EXAMPLES = 5
PARTS = 4
FEW = 60
"""A hundredth of the messages or so: what a small load touches, the rest lying before it."""

DYING = ("int_delivery_headers", "int_message_events", "int_person_deliveries")
"""Models that a build may have made last when it dies."""


@dataclass(frozen=True)
class Step:
    """A load of a part of a table, and how far the build after it comes.

    Attributes:
        part: Which of the parts, or of the few messages where `is_small`.
        until: The last model built; all of them by default, and none where it is empty.
    """

    table: str
    part: int
    is_small: bool
    until: str | None


steps = st.lists(
    st.one_of(
        st.builds(
            Step,
            table=st.sampled_from(RAW),
            part=st.integers(0, PARTS - 1),
            is_small=st.just(value=False),
            until=st.sampled_from((None, "", *DYING)),
        ),
        st.builds(
            Step,
            table=st.sampled_from(OF_DELIVERIES),
            part=st.integers(0, FEW - 1),
            is_small=st.just(value=True),
            until=st.sampled_from((None, "", *DYING)),
        ),
    ),
    min_size=3,
    max_size=6,
)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    with feeds_of_one_world(tmp_path_factory.mktemp("feeds")) as feeds:
        yield feeds


@pytest.fixture(scope="module")
def everything(feeds: Feeds) -> Home:
    """All feeds loaded, nothing built."""
    home = feeds.copy(feeds.loaded["webhooks"], Home(feeds.folder / "everything"))
    for feed in ("exports", "api"):
        add_raw_rows(home, feeds.loaded[feed])
    for feed in CSV_FEEDS:
        load(home, feed, [str(feeds.world / f"{feed}.csv")])
    return home


@pytest.fixture(scope="module")
def begun(feeds: Feeds, everything: Home) -> Home:
    """The tables of all feeds, with a part of what webhooks tell and built from that."""
    home = feeds.copy(everything, Home(feeds.folder / "begun"))
    with open_warehouse(home, purpose="begin with nothing") as connection:
        for (name,) in connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name in ('raw_customerio', 'raw_commerce', 'raw_people')"
        ).fetchall():
            connection.execute(f"delete from {name}")
    load_part(home, everything, 0, Step(RAW[0], 0, is_small=False, until=None))
    feeds.models.run(home, arguments=carrying(feeds))
    return home


def carrying(feeds: Feeds) -> list[str]:
    """Selects the models that carry something from one build to the next, and what they read."""
    return ["--select", *(f"+{name}" for name in carriers(feeds))]


def carriers(feeds: Feeds) -> list[str]:
    """The models that do, those apart that count what was told or observe what was built."""
    names = [
        node.name
        for node in feeds.models.manifest.nodes.values()
        if node.config.materialized == "incremental" and "operations" not in node.fqn
    ]
    assert len(names) > 10
    return names


def load_part(home: Home, everything: Home, number: int, step: Step) -> None:
    """Give a home a part of a table of another, as a load of its own that is later than all."""
    schema = step.table.partition(".")[0]
    told = "delivery_id" if step.is_small else "told"
    parts = FEW if step.is_small else PARTS
    with open_warehouse(home, purpose="load a part") as connection:
        connection.execute(f"attach '{everything.warehouse}' as other (read_only)")
        connection.execute(
            f"insert into {step.table} by name select * replace ('load {number}' as _dlt_load_id) "
            f"from other.{step.table} as told where hash({told}) % {parts} = {step.part}"
        )
        connection.execute(
            f"insert into {schema}._dlt_loads by name select * replace ('load {number}' as load_id,"
            f" timestamptz '2026-09-01 00:00:00+00' + to_minutes({number}) as inserted_at) "
            f"from other.{schema}._dlt_loads limit 1"
        )
        connection.execute("detach other")


def differences(home: Home, other: Home, names: list[str]) -> dict[str, int]:
    """How many rows of each model only one of the homes has, whichever build wrote them."""
    found = {}
    what = "columns(c -> c <> 'build_id')"
    with open_warehouse(home, purpose="look") as connection:
        connection.execute(f"attach '{other.warehouse}' as other (read_only)")
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = current_database() and list_contains($names, table_name)",
            {"names": names},
        ).fetchall():
            one, two = f"{schema}.{table}", f"other.{schema}.{table}"
            for a, b in ((one, two), (two, one)):
                (count,) = connection.execute(
                    f"select count(*) from (select {what} from {a} except all "
                    f"select {what} from {b})"
                ).fetchone() or (0,)
                if count:
                    found[a] = count
        connection.execute("detach other")
    return found


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # to make an example smaller takes a minute a try: it says itself what it did
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(sequence=steps)
def test_any_sequence_of_loads_and_builds_gives_what_one_build_gives(
    feeds: Feeds,
    everything: Home,
    begun: Home,
    tmp_path_factory: pytest.TempPathFactory,
    sequence: list[Step],
) -> None:
    folder: Path = tmp_path_factory.mktemp("sequence")
    grown = feeds.copy(begun, Home(folder / "grown"))
    for number, step in enumerate(sequence, start=1):
        load_part(grown, everything, number, step)
        if step.until is None:
            feeds.models.run(grown, arguments=carrying(feeds))
        elif step.until:
            feeds.models.run(grown, arguments=["--select", f"+{step.until}"])
    feeds.models.run(grown, arguments=carrying(feeds))
    anew = feeds.copy(grown, Home(folder / "anew"))
    feeds.models.run(anew, arguments=["--full-refresh", *carrying(feeds)])
    # what was told is there as often as it was loaded
    names = [name for name in carriers(feeds) if name != "int_preference_changes"]
    assert differences(grown, anew, names) == {}
    shutil.rmtree(folder)
