"""Who is one person: merges, shared ids and addresses, long chains, and ids that stay put."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from tests.conftest import ROOT
from tests.models.models_in_process import Models, parse
from warehouse.connection import open_warehouse
from warehouse.home import Home

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AS_OF = {"as_of": "2026-09-01T00:00:00+00:00"}
PREFIX = "dev_as_of_20260901t000000_"
PEOPLE = ["--select", "+person_identifiers", "+orders"]
CHAIN = 100
TOO_LONG = 3000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("parsed")
    home = Home(folder / "home")
    home.make()
    return parse(home, ROOT / "fakes" / "company", folder / "target", AS_OF)


def give(home: Home, feed: str, header: str, rows: list[str]) -> None:
    """Load rows of a feed from a file of their own."""
    part = len(list(home.root.parent.glob(f"{feed}-*.csv")))
    path = home.root.parent / f"{feed}-{part}.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    load(home, feed, [str(path)])


def persons(home: Home) -> dict[str, str]:
    """The person of every cio_id, customer id and address that has exactly one."""
    with open_warehouse(home, purpose="test") as warehouse:
        rows = warehouse.execute(
            f"select identifier, person_id from {PREFIX}marts.person_identifiers"
            " where not is_shared"
        ).fetchall()
    return dict(rows)


def test_a_world_of_merges_and_shared_identifiers(models: Models, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    crowd = range(11)
    give(
        home,
        "people",
        "cio_id,customer_id,email",
        [
            *(f"k{n:04},," for n in range(CHAIN)),
            *(f"z{n:05},," for n in range(TOO_LONG)),
            "a1,7,ann@example.com",
            "p1,,pair@example.com",
            "p2,,pair@example.com",
            "s1,42,",
            "s2,42,",
        ],
    )
    give(
        home,
        "merges",
        "primary_cio_id,secondary_cio_id,merged_at",
        [
            *(f"k{n + 1:04},k{n:04},2026-01-01" for n in range(CHAIN - 1)),
            *(f"z{n + 1:05},z{n:05},2026-01-01" for n in range(TOO_LONG - 1)),
        ],
    )
    give(
        home,
        "orders",
        "order_id,customer_id,email,ordered_at,total_amount",
        [
            "o1,7,,2026-01-01,1",
            "o2,,ANN@example.com ,2026-01-01,1",
            "o3,8,loose@example.com,2026-01-01,1",
            "o4,,loose@example.com,2026-01-01,1",
            *(f"c{n},crowd-{n},crowded@example.com,2026-01-01,1" for n in crowd),
        ],
    )
    models.run(home, "seed")
    models.run(home, arguments=PEOPLE)
    found = persons(home)
    assert len({found[f"k{n:04}"] for n in range(CHAIN)}) == 1, "a chain is one person"
    assert len({found[f"z{n:05}"] for n in range(TOO_LONG)}) == TOO_LONG, (
        "a chain too long for the rounds is left apart, not cut somewhere"
    )
    assert found["a1"] == found["7"] == found["ann@example.com"]
    assert found["p1"] != found["p2"]
    assert found["s1"] == found["s2"] == found["42"]
    assert found["8"] == found["loose@example.com"]
    assert len({found[f"crowd-{n}"] for n in crowd}) == len(crowd)
    with open_warehouse(home, purpose="test") as warehouse:
        orders = dict(
            warehouse.execute(f"select order_id, person_id from {PREFIX}marts.orders").fetchall()
        )
        unsettled = warehouse.execute(
            f"select count(*) from {PREFIX}intermediate.int_cio_people where not is_settled"
        ).fetchall()
    assert orders["o1"] == orders["o2"] == found["a1"]
    assert orders["o3"] == orders["o4"]
    assert unsettled == [(TOO_LONG,)]


def test_new_people_and_merges_move_nobody_else(models: Models, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    header = "cio_id,customer_id,email"
    give(
        home,
        "people",
        header,
        [f"c{n:03},{n},person{n}@example.com" for n in range(50)],
    )
    models.run(home, "seed")
    models.run(home, arguments=PEOPLE)
    before = persons(home)
    give(
        home,
        "people",
        header,
        # before, between and after everybody, and an address that somebody has
        ["a000,900,first@example.com", "c0105,901,", "z999,902,person3@example.com"],
    )
    give(
        home,
        "merges",
        "primary_cio_id,secondary_cio_id,merged_at",
        ["c020,c010,2026-01-01"],
    )
    models.run(home, arguments=PEOPLE)
    after = persons(home)
    moved = {name for name, person in before.items() if after.get(name) != person}
    # the address of person 3 is shared now; everything of person 10 is person 20's
    assert moved == {"person3@example.com", "c010", "10", "person10@example.com"}
    assert after["c010"] == after["c020"] == before["c020"]
