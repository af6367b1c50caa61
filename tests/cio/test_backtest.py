"""Looking back over a small warehouse, with models compiled by hand.

That a past day is what dbt built that day is held by tests/models/test_increments.py.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cio import backtest as looking_back
from cio import backtest_command
from cio.backtest import NO_DAY, OPENS, Backtest, Period, backtest
from cio.dbt import Project
from cio.main import app
from cio.parsed import Compiled, Parsed
from warehouse.connection import open_warehouse
from warehouse.errors import CioError, UsageError
from warehouse.scratch import scratch_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cio.backtest_measures import Size
    from warehouse.home import Home

DAY = datetime(2026, 9, 1)  # noqa: DTZ001 - instants are naive UTC
WEEK = timedelta(days=7)
WAREHOUSE = """
create schema raw_dbt;
create table raw_dbt.builds as select 'b1' as build_id,
    timestamp '2026-09-01 00:10:00' as started_at, timestamp '2026-09-01 00:20:00' as finished_at,
    timestamp '2026-09-01 00:00:00' as as_of, false as is_as_of_given, 'prod' as target,
    '' as schema_prefix, 'build' as command, null::text as selection, true as is_whole,
    true as is_passed, 1::bigint as models, 0::bigint as failures;
create schema raw_shop; create schema marts; create schema intermediate;
create table raw_shop._dlt_loads as
    select * from (values ('l1', 0, timestamptz '2026-08-20 00:00:00+00'),
        ('l2', 0, timestamptz '2026-08-30 00:00:00+00'),
        ('killed', 1, timestamptz '2026-08-01 00:00:00+00')) as loads(load_id, status, inserted_at);
create table raw_shop.events as
    select * from (values
        ('early', 'opened', true, timestamp '2026-08-19 00:00:00', 'l1'),
        ('late', 'opened', true, timestamp '2026-08-19 00:00:00', 'l2'),
        ('machine', 'opened', false, timestamp '2026-08-31 00:00:00', 'l2'),
        ('now', 'opened', true, timestamp '2026-08-31 00:00:00', 'l2')
    ) as events(person_id, metric, is_human, occurred_at, load_id);
create table intermediate.int_message_events as from raw_shop.events;
create table intermediate.int_openers as select person_id from raw_shop.events where is_human;
create table intermediate.int_feed_watermarks as
    select 'orders' as feed, timestamp '2026-09-01 00:00:00' as complete_through;
create table marts.orders as select 'early' as person_id,
    timestamp '2026-08-27 00:00:00' as ordered_at, false as is_cancelled;
"""
EVENTS = (
    "select * from warehouse.raw_shop.events where load_id in (select load_id from "
    "warehouse.raw_shop._dlt_loads where status = 0 and inserted_at <= '{known_at}'::timestamptz)"
)
MODELS = {
    OPENS: EVENTS,
    "model.shop.int_openers": "select person_id from scratch.scratch.int_message_events "
    "where is_human",
    "model.shop.opened_7d": "select person_id from scratch.scratch.int_message_events "
    "where is_human and occurred_at between timestamp '{as_of}' - interval 7 day "
    "and timestamp '{as_of}'",
    "model.shop.opened_ever": "select person_id from scratch.scratch.int_openers",
}


def node(key: str, *parents: str) -> Any:  # noqa: ANN401 - as dbt's own
    name = key.rpartition(".")[2]
    is_audience = not name.startswith("int_")
    return SimpleNamespace(
        resource_type="model",
        name=name,
        original_file_path=f"models/{name}.sql",
        depends_on_nodes=list(parents),
        config=SimpleNamespace(
            schema="audiences" if is_audience else "intermediate",
            materialized="table",
            meta={"audience": {"label": name}} if is_audience else {},
        ),
    )


NODES = {
    OPENS: node(OPENS, "source.shop.events"),
    "model.shop.int_openers": node("model.shop.int_openers", OPENS),
    "model.shop.opened_7d": node("model.shop.opened_7d", OPENS),
    "model.shop.opened_ever": node("model.shop.opened_ever", "model.shop.int_openers"),
}


class ByHand(Parsed):
    """A project whose models need no dbt."""

    def compile(
        self,
        models: Sequence[str],
        *,
        places: Mapping[str, Any],
        variables: Mapping[str, str],
    ) -> dict[str, Compiled]:
        assert set(places) >= set(models)
        given = {"known_at": "9999-01-01T00:00:00+00:00", **variables}
        return {one: Compiled("", MODELS[one].format(**given)) for one in models}


@pytest.fixture
def shop(home: Home) -> Home:
    home.make()
    with open_warehouse(home, purpose="build") as connection:
        connection.execute(WAREHOUSE)
    return home


def look_back(
    home: Home, *days: datetime, names: Sequence[str] = (), **options: bool
) -> dict[tuple[str, datetime], Size]:
    found = found_of(home, Period(days, **options), names)
    return {(one.audience, datetime.fromisoformat(one.as_of)): one for one in found.sizes}


def found_of(home: Home, period: Period, names: Sequence[str] = ()) -> Backtest:
    with scratch_home(home, purpose="test") as copy:
        parsed = ByHand(Project(copy), SimpleNamespace(nodes=NODES))
        return backtest(parsed, names, period)


def test_windows_move_with_the_day_and_what_has_none_stays(shop: Home) -> None:
    sizes = look_back(shop, DAY - 2 * WEEK, DAY - WEEK, DAY)
    # a window ends at its day: on the 18th nobody had opened anything
    assert [sizes["opened_7d", DAY - n * WEEK].people for n in (2, 1, 0)] == [0, 2, 1]
    assert [sizes["opened_ever", DAY - n * WEEK].people for n in (2, 1, 0)] == [3, 3, 3]


def test_as_known_it_sees_only_what_was_loaded_by_the_day(shop: Home) -> None:
    days = (DAY - 2 * WEEK, DAY - WEEK, DAY)
    found = found_of(shop, Period(days, is_as_known=True))
    assert [day.loads for day in found.days] == [0, 1, 2]
    people = {(one.audience, one.as_of): one.people for one in found.sizes}
    at = [day.isoformat() for day in days]
    assert [people["opened_7d", day] for day in at] == [0, 1, 1]
    assert [people["opened_ever", day] for day in at] == [0, 1, 3]


def test_machine_opens_are_counted_and_taken_away_wherever_they_are_read(shop: Home) -> None:
    sizes = look_back(shop, DAY - WEEK, DAY, is_with_opens=True)
    for name, plain, with_machines in (("opened_7d", 1, 2), ("opened_ever", 3, 4)):
        one = sizes[name, DAY]
        assert (one.people, one.people_with_machine_opens) == (plain, with_machines)
        assert one.people_without_machine_opens == plain


def test_what_no_day_changes_is_made_once(shop: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    create = looking_back.create

    def counted(connection: Any, node: Any, compiled: Compiled, *, is_view: bool) -> None:  # noqa: ANN401 - dbt's own
        made.append(node.name)
        create(connection, node, compiled, is_view=is_view)

    monkeypatch.setattr(looking_back, "create", counted)
    found_of(shop, Period((DAY - WEEK, DAY)), ["opened_7d"])
    # the other audience is built for the last day's overlaps alone
    assert made == ["int_message_events", "opened_7d", "opened_7d", "int_openers", "opened_ever"]
    made.clear()
    found_of(shop, Period((DAY, DAY + WEEK), is_as_known=True), ["opened_7d"])
    # nothing was loaded between the two, so that the facts are the same
    assert made.count("int_message_events") == 1


def test_nothing_of_it_is_left(shop: Home) -> None:
    look_back(shop, DAY)
    assert list(shop.root.glob("scratch-*")) == []
    with open_warehouse(shop, purpose="look") as connection:
        schemas = connection.execute("select schema_name from duckdb_schemas()").fetchall()
    assert ("scratch",) not in schemas


def test_a_model_that_reckons_with_as_of_before_it_is_sql_is_refused(
    shop: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = f"select '{NO_DAY[:8]}01 00:00:00' as person_id"
    monkeypatch.setitem(MODELS, "model.shop.opened_7d", before)
    with pytest.raises(CioError, match=r"opened_7d\.sql reckons with as_of before it is SQL"):
        look_back(shop, DAY)


def test_what_does_not_run_names_its_file(shop: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "model.shop.opened_7d", "select nothing_like_it")
    with pytest.raises(CioError, match=r"opened_7d\.sql does not run .*nothing_like_it"):
        look_back(shop, DAY)


def test_a_period_without_a_day_and_an_audience_that_is_none_are_refused(shop: Home) -> None:
    with pytest.raises(UsageError, match="give a --to that is not before --from"):
        look_back(shop)
    with pytest.raises(UsageError, match="there is no audience int_openers"):
        look_back(shop, DAY, names=["int_openers"])


def test_without_a_warehouse_or_a_build_that_passed_there_is_nothing_to_look_back_at(
    home: Home,
) -> None:
    home.make()
    with pytest.raises(CioError, match=r"there is no warehouse in .* `cio build`"):
        look_back(home, DAY)
    with open_warehouse(home, purpose="make it") as connection:
        connection.execute("create table t as select 1 as n")
    with pytest.raises(CioError, match="no whole build has passed yet"):
        look_back(home, DAY)


def test_what_a_killed_look_back_left_is_removed_by_the_next(shop: Home) -> None:
    left = shop.root / "scratch-999999999"
    left.mkdir()
    with scratch_home(shop, purpose="test") as copy:
        assert not left.exists()
        with open_warehouse(copy, purpose="change") as connection:
            connection.execute("drop table marts.orders")
    with open_warehouse(shop, purpose="look") as connection:
        assert connection.execute("select person_id from marts.orders").fetchall() == [("early",)]


def test_the_command_tells_it_as_a_table_and_as_json(
    shop: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[str] = []

    def by_hand(project: Project) -> Parsed:
        targets.append(project.target)
        return ByHand(project, SimpleNamespace(nodes=NODES))

    monkeypatch.setattr(backtest_command, "parse", by_hand)
    monkeypatch.setenv("CIO_HOME", str(shop.root))
    # the console of the process is as wide as it was when the first test needed it
    monkeypatch.setattr(backtest_command, "out", Console(width=160, highlight=False))
    asked = ["backtest", "opened_7d", "--from", "2026-08-18", "--to", "2026-09-07T12:00:00+02:00"]
    said = CliRunner().invoke(app, [*asked, "--as-known", "--opens"])
    assert said.exit_code == 0, said.output
    assert "nothing was loaded yet by 2026-08-18" in said.output
    assert [line.split("│")[2:4] for line in said.output.splitlines() if "opened_7d" in line] == [
        [f" {day} ", f" {people:>6} "]
        for day, people in (("2026-08-18", 0), ("2026-08-25", 1), ("2026-09-01", 1))
    ]
    told = CliRunner().invoke(app, [*asked, "--json", "--bought-days", "2"])
    found = json.loads(told.stdout)
    assert [one["people"] for one in found["sizes"]] == [0, 2, 1]
    assert [one["bought_rate"] for one in found["sizes"]] == [None, 0.5, None]
    assert targets == ["prod", "prod"]


@pytest.mark.parametrize("every", ["0d", "week", "-1"])
def test_a_step_that_is_no_number_of_days_is_refused(every: str) -> None:
    asked = ["backtest", "--from", "2026-08-01", "--to", "2026-09-01", "--every", every]
    said = CliRunner().invoke(app, asked)
    assert isinstance(said.exception, UsageError)
    assert "give a number of days" in str(said.exception)
