"""What the destination has is the same, whether all receipts are read or the newer ones alone."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest

from cio.erase_files import erase_journals
from cio.erase_rows import Person
from reverse_etl import state as module
from reverse_etl.scope import scope_of
from reverse_etl.settings import read_syncs
from reverse_etl.state import COMPACTED, State, write_state
from reverse_etl.targets import find_target

from .world import World, event, member

if TYPE_CHECKING:
    from pathlib import Path

OUTCOMES = ("accepted", "accepted", "rejected", "unknown", "skipped")


@pytest.fixture(autouse=True)
def _compacted_from_the_first_row_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_ROWS", 0)


def state_of(world: World, sync: str, folder: Path, *, scope: str | None = None) -> State:
    (declared,) = read_syncs(world.manifest, select=[sync])
    folder.mkdir()
    with duckdb.connect(world.home.warehouse) as warehouse:
        return write_state(
            warehouse,
            world.home,
            folder,
            sync=sync,
            mode=declared.mode,
            scope=scope or scope_of(find_target(declared).fingerprint(declared)),
        )


def rows(state: State) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(f"select * from {state.relation} order by all").fetchall()


def receipts(chance: random.Random, sync: str, done: set[int]) -> list[dict[str, Any]]:
    """One run: a few rows, each removed or sent, with any outcome; no event that is done."""
    found = []
    for number in chance.sample(sorted(set(range(12)) - done), 3):
        outcome = chance.choice(OUTCOMES)
        if sync == "events":
            row, operation = event(number, payload=str(chance.randrange(2))), "append"
            if outcome == "accepted":
                done.add(number)
        else:
            someone = f"customer-{chance.randrange(2)}"
            row = member(number, customer_id=someone, fingerprint=str(chance.randrange(2)))
            operation = chance.choice(("add", "update", "remove"))
        found.append({"row": row, "operation": operation, "outcome": outcome})
    return found


@pytest.mark.parametrize("sync", ["members", "events"])
def test_what_was_compacted_and_newer_receipts_say_what_all_receipts_say(
    world: World, tmp_path: Path, sync: str
) -> None:
    world.declare_members()
    world.declare_events()
    kept = world.home.journals / sync / COMPACTED
    chance = random.Random(7)
    laid_over, done = 0, set[int]()
    for run in range(6):
        world.receive(sync, f"run-{run:02}", *receipts(chance, sync, done))
        quick = state_of(world, sync, tmp_path / f"quick-{run}")
        laid_over += "union all" in quick.relation
        kept.rename(tmp_path / "aside")
        assert rows(quick) == rows(state_of(world, sync, tmp_path / f"whole-{run}"))
        # the next one lays its receipts over the older file
        (tmp_path / "aside").replace(kept)
    assert laid_over == 5


def test_a_few_receipts_are_not_compacted_again(world: World, tmp_path: Path) -> None:
    world.declare_members()
    sent = [{"row": member(n), "operation": "add"} for n in range(20)]
    world.receive("members", "run-1", *sent)
    first = state_of(world, "members", tmp_path / "1")
    assert (first.compacted, pq.read_metadata(first.newer).num_rows) == (None, 20)
    kept = world.home.journals / "members" / COMPACTED
    before = kept.stat().st_ino
    world.receive("members", "run-2", {"row": member(3), "operation": "remove"})
    second = state_of(world, "members", tmp_path / "2")
    assert pq.read_metadata(second.newer).num_rows == 1
    assert kept.stat().st_ino == before
    world.receive("members", "run-3", *({"row": member(n), "operation": "remove"} for n in (4, 5)))
    state_of(world, "members", tmp_path / "3")
    assert kept.stat().st_ino != before
    fourth = state_of(world, "members", tmp_path / "4")
    assert pq.read_metadata(fourth.newer).num_rows == 0
    assert [row[0] for row in rows(fourth) if not row[10]] == sorted(
        member(n)["record_key"] for n in (3, 4, 5)
    )


@pytest.mark.parametrize(
    "change",
    [
        "delete from raw_reverse_etl.receipts where person_id = 'person-1'",
        # landed again, from the journals
        "update raw_reverse_etl.runs set _dlt_load_id = 'run-2'",
    ],
)
def test_what_no_longer_fits_the_receipts_is_not_used(
    world: World, tmp_path: Path, change: str
) -> None:
    world.declare_members()
    sent = [{"row": member(n), "operation": "add"} for n in range(3)]
    world.receive("members", "run-1", *sent)
    state_of(world, "members", tmp_path / "1")
    world.query("insert into raw_reverse_etl._dlt_loads values ('run-2', '', 0, now(), '')")
    world.query(change)
    again = state_of(world, "members", tmp_path / "2")
    assert again.compacted is None
    assert len(rows(again)) == world.query("select count(*) from raw_reverse_etl.receipts")[0][0]


def test_what_another_account_has_is_not_taken_for_what_this_one_has(
    world: World, tmp_path: Path
) -> None:
    world.declare_members()
    world.receive("members", "run-1", {"row": member(1), "operation": "add"})
    assert len(rows(state_of(world, "members", tmp_path / "1"))) == 1
    assert rows(state_of(world, "members", tmp_path / "2", scope="another")) == []


def test_who_is_erased_is_in_no_compacted_file(world: World, tmp_path: Path) -> None:
    world.declare_members()
    world.receive("members", "run-1", {"row": member(1), "operation": "add"})
    state_of(world, "members", tmp_path / "1")
    assert (world.home.journals / "members" / COMPACTED).exists()
    erase_journals(world.home, Person(("person-1",), ("customer-1",)))
    assert list(world.home.journals.rglob(f"*{COMPACTED}")) == []
