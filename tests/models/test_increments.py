"""After any sequence of loads and builds each table equals what one full refresh gives.

And a build as of a day equals what was built that day: the world goes on for some days more.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from cio import backtest as looking_back
from cio.dbt import Project
from cio.parsed import Parsed
from cio.scratch import table as scratch_table
from fakes.population import WorldSettings, generate
from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.home import Home
from warehouse.scratch import scratch_home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
ENDS_AT = AS_OF + timedelta(days=5)
COMPANY = ROOT / "fakes" / "company"
PREFIX = "dev_as_of_20260901t000000_"
FILES = {
    **{feed: f"{feed}.csv" for feed in ("orders", "refunds", "cancellations", "people", "merges")},
    "paid_audience_days": "paid_audience_days.csv",
    "mparticle": "mparticle.jsonl",
}
# Instants that say when a row was told, or what it tells of came to be.
TIMES = {
    *("occurred_at", "ordered_at", "updated_at", "refunded_at", "cancelled_at", "changed_at"),
    "created_at",
}
# Facts are of all time.
FACTS = {"message_events", "message_responses", "behaviour_events"}
# Who somebody is does not belong to a day either: a merge holds for what was before it.
IDENTITY = {"people", "person_identifiers", "current_identifiers"}
BATCHES = 7
KILLED_BATCH = 3
# Of what is compared these must be among it.
CARRYING = {
    *("int_message_occurrences", "int_message_events", "int_deliveries"),
    *("int_person_deliveries", "int_behaviour_events"),
}
# Which loads each model took, and which builds there were, differ by design; and what was told is
# there as often as it was loaded, as in staging.
OBSERVATIONS = {
    *("load_ledger", "builds"),
    *("int_message_reports", "int_delivery_reports", "int_customerio_observations"),
    *("int_preference_changes", "int_preference_statements"),
}
# Audiences of clicks, orders, consent and pressure.
LOOKED_BACK_AT = (
    "fatigue_risk_14d",
    "opened_cart_no_click_3d",
    "purchased_3d",
    "unsubscribed_ever",
)
# Columns that name the build a row was seen by: no two builds share one.
WHAT = "columns(c -> c not in ('build_id', 'entered_build', 'left_build'))"

# What is said anew of old messages and people, none of it by an event.
TOLD_ANEW = (
    f"delete from {PREFIX}seeds.message_taxonomy where message_class = 'promotion'",
    f"update {PREFIX}seeds.experiment_arms set is_control = not is_control",
    """
    update raw_people.people set phone = '+1 555 0100'
    where customer_id in (select min(customer_id) from raw_people.people)
    """,
    """
    insert into raw_people.merges by name
    select max(cio_id) as secondary_cio_id, min(cio_id) as primary_cio_id,
        (select min(_dlt_load_id) from raw_people.merges) as _dlt_load_id
    from raw_customerio.webhook_events
    """,
    """
    delete from raw_commerce.paid_audience_days
    where active_on = (select min(active_on) from raw_commerce.paid_audience_days)
    """,
)


def carrying(models: Models) -> list[str]:
    """Selects the models that carry something from one build to the next, and what they read.

    All others are made anew by each whole build, from nothing that an earlier one left. Sizes of
    audiences are observations, and read nearly everything.
    """
    names = [
        f"+{node.name}"
        for node in models.manifest.nodes.values()
        if node.config.materialized == "incremental" and "operations" not in node.fqn
    ]
    assert len(names) > 5
    return ["--select", *names]


def add_earlier_versions(path: Path, began_at: str, flag: str) -> None:
    """Let a file also tell each row as it was before it changed."""
    with path.open(newline="") as read:
        rows = list(csv.DictReader(read))
    earlier = [
        row | {"updated_at": row[began_at], flag: "false"}
        for row in rows
        if row["updated_at"] != row[began_at]
    ]
    assert earlier
    with path.open("w", newline="") as write:
        writer = csv.DictWriter(write, rows[0])
        writer.writeheader()
        writer.writerows(rows + earlier)


def every_other_row(path: Path, folder: Path) -> Path:
    """A file with some of the versions of some of the rows."""
    header, *rows = path.read_text().splitlines()
    some = folder / f"some-{path.name}"
    some.write_text("\n".join([header, *rows[::2]]) + "\n")
    return some


def add_cancellations(folder: Path) -> None:
    """Cancellations with instants of their own, which the world does not have."""
    with (folder / "orders.csv").open(newline="") as read:
        orders = list(csv.DictReader(read))[::5]
    with (folder / "cancellations.csv").open("w", newline="") as write:
        writer = csv.writer(write)
        writer.writerow(("order_id", "cancelled_at"))
        for order in orders:
            cancelled_at = datetime.fromisoformat(order["ordered_at"]) + timedelta(days=2)
            writer.writerow((order["order_id"], cancelled_at.isoformat()))


@dataclass(frozen=True)
class World:
    folder: Path
    lines: list[bytes]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world")
    generate(WorldSettings(people=400, seed=11, ends_at=ENDS_AT), folder)
    add_earlier_versions(folder / "orders.csv", "ordered_at", "is_cancelled")
    add_earlier_versions(folder / "people.csv", "created_at", "is_unsubscribed")
    add_cancellations(folder)
    lines: list[bytes] = []
    for path in sorted((folder / "webhooks").iterdir()):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        lines += content.splitlines()
    return World(folder, lines)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    home.make()
    return parse(home, COMPANY, folder / "target", {"as_of": AS_OF.isoformat()})


@pytest.fixture(scope="module")
def whole(world: World, models: Models, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Everything loaded once and built once."""
    home = Home(tmp_path_factory.mktemp("whole") / "home")
    home.make()
    load(home, "webhooks", [str(world.folder / "webhooks")], complete_through=AS_OF)
    for feed, file in FILES.items():
        load(home, feed, [str(world.folder / file)], complete_through=AS_OF)
    models.run(home, "seed")
    models.run(home)
    return home


def differences(left: Home, right: Home) -> dict[str, tuple[int, int]]:
    """Relations the left one has whose rows differ, with how many rows only either side has."""
    made: dict[str, set[tuple[str, str]]] = {}
    with duckdb.connect() as connection:
        for name, home in (("left_side", left), ("right_side", right)):
            # views name the catalog they were made in
            copy = home.root / f"{name}.duckdb"
            with duckdb.connect(str(home.warehouse)) as source:
                relations = source.execute(
                    "select table_schema, table_name from information_schema.tables"
                    f" where table_schema like '{PREFIX}%'"
                    f" and table_schema <> '{PREFIX}staging'"
                ).fetchall()
                made[name] = set(relations)
                copy.unlink(missing_ok=True)
                source.execute(f"attach '{copy}' as side")
                for schema, table in relations:
                    source.execute(f"create schema if not exists side.{schema}")
                    source.execute(
                        f"create table side.{schema}.{table} as from warehouse.{schema}.{table}"
                    )
                source.execute("detach side")
            connection.execute(f"attach '{copy}' as {name} (read_only)")
        assert {table for _, table in made["left_side"]} >= CARRYING
        assert made["left_side"] <= made["right_side"]
        found = {}
        for schema, table in sorted(relations):
            if table in OBSERVATIONS or (schema, table) not in made["left_side"]:
                continue
            only = tuple(
                connection.execute(
                    f"select count(*) from (select {WHAT} from {a}.{schema}.{table} except all"
                    f" select {WHAT} from {b}.{schema}.{table})"
                ).fetchall()[0][0]
                for a, b in (("left_side", "right_side"), ("right_side", "left_side"))
            )
            if any(only):
                found[f"{schema}.{table}"] = only
        return found


def kill_during_load(home: Home, path: Path) -> None:
    """Start a load and kill it, hard, once its rows are on their way into the warehouse."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loaders", "webhooks", str(path)],
        env=os.environ | {"CIO_HOME": str(home.root)},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    given_up_at = time.monotonic() + 120
    while process.poll() is None and not any(home.dlt.rglob("*.parquet")):
        assert time.monotonic() < given_up_at, "the load did not begin"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the load was over before it was killed"


def test_shuffled_doubled_and_batched_loads_give_what_one_load_gives(
    world: World, models: Models, whole: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    chance = random.Random(5)
    twice = [line for line in world.lines for _ in range(2)]
    chance.shuffle(twice)
    models.run(home, "seed")
    feeds = {
        1: ("people",),
        2: ("cancellations",),
        3: ("orders",),
        4: ("merges", "refunds", "paid_audience_days"),
        5: ("mparticle",),
    }
    load(home, "orders", [str(every_other_row(world.folder / "orders.csv", tmp_path))])
    for batch in range(BATCHES):
        path = tmp_path / f"batch-{batch}.jsonl"
        path.write_bytes(b"\n".join(twice[batch::BATCHES]) + b"\n")
        if batch == KILLED_BATCH:
            kill_during_load(home, path)
            models.run(home, arguments=carrying(models))
        for feed in feeds.get(batch, ()):
            load(home, feed, [str(world.folder / FILES[feed])], complete_through=AS_OF)
        last = AS_OF if batch == BATCHES - 1 else None
        load(home, "webhooks", [str(path)], complete_through=last)
        models.run(home, arguments=() if last else carrying(models))
    assert differences(home, whole) == {}


def test_a_full_refresh_changes_nothing(models: Models, whole: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.warehouse.write_bytes(whole.warehouse.read_bytes())
    models.run(home, arguments=["--full-refresh", *carrying(models)])
    assert differences(home, whole) == {}


def test_a_fact_built_alone_is_not_skipped_later(
    world: World, models: Models, whole: Home, tmp_path: Path
) -> None:
    """A downstream fact takes only loads that the fact before it has taken."""
    home = Home(tmp_path / "home")
    home.make()
    half = len(world.lines) // 2
    models.run(home, "seed")
    for feed, file in FILES.items():
        load(home, feed, [str(world.folder / file)], complete_through=AS_OF)
    for part, lines in enumerate((world.lines[:half], world.lines[half:])):
        path = tmp_path / f"part-{part}.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        load(home, "webhooks", [str(path)], complete_through=AS_OF)
        if part == 0:
            models.run(home, arguments=carrying(models))
        else:
            models.run(home, arguments=["--select", "int_deliveries"])
            models.run(home, arguments=["--select", "int_message_events"])
            models.run(home, arguments=carrying(models))
    assert differences(home, whole) == {}


def test_what_is_told_anew_of_old_messages_reaches_them_without_a_load(
    models: Models, whole: Home, tmp_path: Path
) -> None:
    """Arms, classes and who somebody is change without any event of the message's own."""
    sides = []
    for name, arguments in (("grown", []), ("anew", ["--full-refresh"])):
        home = Home(tmp_path / name)
        home.make()
        home.warehouse.write_bytes(whole.warehouse.read_bytes())
        with duckdb.connect(str(home.warehouse)) as connection:
            for change in TOLD_ANEW:
                assert connection.execute(change).fetchall() > [(0,)], change
        models.run(home, arguments=[*arguments, *carrying(models)])
        sides.append(home)
    assert differences(*sides) == {}
    assert {
        *("int_person_deliveries", "int_message_pressure", "int_touches", "person_match_keys")
    } <= {table.rpartition(".")[2] for table in differences(sides[0], whole)}


def forget_what_came_later(home: Home) -> None:
    """Take a warehouse back to what was loaded by the day, with nothing built."""
    with duckdb.connect(str(home.warehouse)) as connection:
        built = connection.execute(
            f"select schema_name from duckdb_schemas() where schema_name like '{PREFIX}%'"
            f" and schema_name <> '{PREFIX}seeds'"
        ).fetchall()
        for (schema,) in built:
            connection.execute(f"drop schema {schema} cascade")
        raw = connection.execute(
            "select table_schema, table_name, list(column_name) from information_schema.columns"
            " where table_schema like 'raw_%' and table_name <> 'merges' group by all"
        ).fetchall()
        for schema, table, columns in raw:
            for column in TIMES.intersection(columns):
                connection.execute(
                    f"delete from {schema}.{table} where {column} > $day",
                    {"day": AS_OF.replace(tzinfo=None)},
                )


@pytest.fixture(scope="module")
def that_day(models: Models, whole: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """What was loaded by the day, and the audiences that were built of it."""
    home = Home(tmp_path_factory.mktemp("that_day") / "home")
    home.make()
    home.warehouse.write_bytes(whole.warehouse.read_bytes())
    forget_what_came_later(home)
    models.run(home, arguments=["--select", "+audience_members"])
    return home


def test_what_was_loaded_later_changes_no_audience_of_a_past_day(
    whole: Home, that_day: Home
) -> None:
    found = {
        table.rpartition(".")[2]: counts
        for table, counts in differences(that_day, whole).items()
        if table.startswith((f"{PREFIX}marts", f"{PREFIX}audiences"))
    }
    assert found.keys() <= FACTS | IDENTITY, found
    assert {table for table, (only_then, _) in found.items() if only_then} <= IDENTITY
    assert "message_events" in found


def looked_back(
    home: Home, models: Models, monkeypatch: pytest.MonkeyPatch, *, is_as_known: bool
) -> tuple[dict[str, Counter[tuple[object, ...]]], dict[str, Counter[tuple[object, ...]]]]:
    """Who is in the audiences looking back to the day, and who was by the build of a home."""
    seen: dict[str, Counter[tuple[object, ...]]] = {}

    def keep(connection: duckdb.DuckDBPyConnection, nodes: list[Any], *_: object) -> None:
        seen.update({one.name: rows(connection, scratch_table(one)) for one in nodes})

    monkeypatch.setattr(looking_back, "keep", keep)
    monkeypatch.setattr(looking_back, "measure", lambda *_: None)
    with scratch_home(home, purpose="test") as copy:
        with duckdb.connect(str(copy.warehouse)) as connection:
            connection.execute("update raw_dbt.builds set is_whole = true")
            built = {one: rows(connection, f"{PREFIX}audiences.{one}") for one in LOOKED_BACK_AT}
        project = Project(copy, company=models.company)
        period = looking_back.Period((AS_OF.replace(tzinfo=None),), is_as_known=is_as_known)
        parsed = Parsed(project, models.manifest)
        looking_back.backtest(parsed, LOOKED_BACK_AT, period, others=LOOKED_BACK_AT)
    return seen, built


def rows(connection: duckdb.DuckDBPyConnection, table: str) -> Counter[tuple[object, ...]]:
    return Counter(connection.execute(f"from {table}").fetchall())


def test_a_look_back_sees_what_a_build_as_of_that_day_makes(
    models: Models, whole: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, built = looked_back(whole, models, monkeypatch, is_as_known=False)
    assert seen == built
    assert all(built.values())


def test_a_look_back_as_known_sees_what_was_built_that_day(
    world: World, models: Models, that_day: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.warehouse.write_bytes(that_day.warehouse.read_bytes())
    late = tmp_path / "late.csv"
    with (world.folder / "orders.csv").open(newline="") as read, late.open("w", newline="") as out:
        orders = list(csv.DictReader(read))[:20]
        writer = csv.DictWriter(out, orders[0])
        writer.writeheader()
        placed_at = (AS_OF - timedelta(days=1)).isoformat()
        for number, order in enumerate(orders):
            new = {"order_id": f"late-{number}", "ordered_at": placed_at, "updated_at": placed_at}
            writer.writerow(order | new)
    set_loaded_at(home, AS_OF)
    load(home, "orders", [str(late)])
    set_loaded_at(home, AS_OF + timedelta(seconds=1), "status = 0 and inserted_at > $then")
    seen, built = looked_back(home, models, monkeypatch, is_as_known=True)
    assert seen == built
    with duckdb.connect(str(home.warehouse)) as connection:
        told = connection.execute(
            "select count(*) from raw_commerce.orders where order_id like 'late-%'"
        ).fetchone()
    assert told == (len(orders),)


def set_loaded_at(home: Home, then: datetime, which: str = "true") -> None:
    """As though loads had been complete by then."""
    with duckdb.connect(str(home.warehouse)) as connection:
        ledgers = connection.execute(
            "select schema_name from duckdb_tables() where table_name = '_dlt_loads'"
        ).fetchall()
        for (schema,) in ledgers:
            connection.execute(
                f"update {schema}._dlt_loads set inserted_at = $then where {which}", {"then": then}
            )
