"""However mParticle's batches are loaded, the same tables come of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from tests.models.mparticle_batches import START_MS, Traffic, traffic
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
PREFIX = "dev_as_of_20260901t000000_"
SELECTED = ["--select", "+behaviour_events", "+people", "+person_consent", "+orders"]
BATCHES = 3
TABLES = {
    "intermediate.int_behaviour_events": "behaviour_event_id",
    "intermediate.int_mparticle_identifiers": "identity_key",
    "marts.behaviour_events": "behaviour_event_id",
    "marts.people": "person_id",
    "marts.person_identifiers": "person_id, identifier_type, identifier",
    "marts.person_consent": "person_id, channel",
    "marts.orders": "order_id",
}


@dataclass(frozen=True)
class Whole:
    """Everything loaded once and built once."""

    home: Home
    made: Traffic


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    home.make()
    as_of = {"as_of": AS_OF.isoformat()}
    models = parse(home, ROOT / "fakes" / "company", folder / "target", as_of)
    # read when a model is run, so that the parsed project is the one of the other tests
    return replace(models, variables=as_of | {"orders_from_mparticle": "true"})


@pytest.fixture(scope="module")
def whole(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    made = traffic(users=30, seed=3)
    (folder / "batches.jsonl").write_bytes(b"".join(made.lines))
    home = Home(folder / "home")
    home.make()
    load(home, "mparticle", [str(folder / "batches.jsonl")])
    models.run(home, "seed")
    models.run(home, arguments=SELECTED)
    return Whole(home, made)


def rows(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(sql.format(prefix=PREFIX)).fetchall()


def tables(home: Home) -> dict[str, list[tuple[object, ...]]]:
    return {
        name: rows(home, f"from {{prefix}}{name} order by {key}") for name, key in TABLES.items()
    }


def test_shuffled_doubled_and_batched_loads_give_what_one_load_gives(
    whole: Whole, models: Models, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    home.make()
    twice = [line for line in whole.made.lines for _ in range(2)]
    random.Random(5).shuffle(twice)
    models.run(home, "seed")
    for batch in range(BATCHES):
        path = tmp_path / f"batch-{batch}.jsonl"
        path.write_bytes(b"".join(twice[batch::BATCHES]))
        load(home, "mparticle", [str(path)])
        models.run(home, arguments=SELECTED)
    assert tables(home) == tables(whole.home)


def test_each_event_is_there_once_under_its_exact_id(whole: Whole) -> None:
    found = rows(whole.home, "select event_id from {prefix}marts.behaviour_events")
    with_id = [int(str(event_id)) for (event_id,) in found if event_id is not None]
    assert sorted(with_id) == sorted(whole.made.events)
    assert len(found) > len(with_id)


def test_an_event_keeps_the_version_that_names_its_user(whole: Whole) -> None:
    """Visit 1 was reported anonymously and with the address; its event is the address's."""
    unnamed = rows(
        whole.home,
        "select count(*) from {prefix}marts.behaviour_events "
        "where event_name = 'Page 1' and coalesce(profile_key, '') not like 'email:%'",
    )
    assert unnamed == [(0,)]


def test_addresses_and_ids_of_one_user_are_one_person(whole: Whole) -> None:
    users = rows(
        whole.home,
        "select count(*), count(customer_id), count(email) from {prefix}marts.people",
    )
    assert users == [(30, 30, 30)]


def test_who_came_without_a_login_is_the_person_who_logged_in_later(whole: Whole) -> None:
    """Visit 0 had mParticle's own id alone; its events keep that key, and find their person."""
    anonymous = rows(
        whole.home,
        "select count(*) > 0, count(*) filter (where first.person_id <> later.person_id) "
        "from {prefix}marts.behaviour_events as first "
        "inner join {prefix}marts.behaviour_events as later using (mpid) "
        "where first.profile_key like 'mpid:%' and later.profile_key not like 'mpid:%'",
    )
    assert anonymous == [(True, 0)]
    assert rows(
        whole.home,
        "select count(*) from {prefix}marts.behaviour_events "
        "where event_name = 'Page 0' and profile_key not like 'mpid:%' or person_id is null",
    ) == [(0,)]


def test_created_at_is_that_of_the_first_device_visit(whole: Whole) -> None:
    """Each visit told a later created_at; the earliest that names the user stands."""
    assert rows(
        whole.home,
        "select count(*) from {prefix}marts.people as people where created_at is distinct from ("
        "select date_trunc('second', min(occurred_at)) from {prefix}marts.behaviour_events "
        "where person_id = people.person_id and profile_key not like 'mpid:%')",
    ) == [(0,)]
    earliest = rows(whole.home, "select min(created_at) from {prefix}marts.people")[0][0]
    assert isinstance(earliest, datetime)
    assert earliest.replace(tzinfo=UTC).timestamp() * 1000 > START_MS


def test_opt_outs_become_consent_and_nobody_is_lost(whole: Whole) -> None:
    assert rows(
        whole.home,
        "select channel, is_opted_out, count(*) from {prefix}marts.person_consent "
        "group by all order by 2",
    ) == [("all", False, 15), ("all", True, 15)]


def test_purchases_of_production_are_orders(whole: Whole) -> None:
    orders = rows(whole.home, "select order_id, total_amount > 0 from {prefix}marts.orders")
    assert sorted(orders) == sorted((order, True) for order in whole.made.transactions)
