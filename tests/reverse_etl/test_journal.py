from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverse_etl.journal import Exceptional, Journal, RunFolder, new_run, ranges
from reverse_etl.outcomes import Balance, resolve

from .conformance import SUBJECTS, write_plan
from .world import NOW, World

if TYPE_CHECKING:
    from pathlib import Path

    from reverse_etl.contract import Outcome


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of six rows."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    write_plan(folder.plan, [SUBJECTS[0].change(n) for n in range(6)])
    return folder


def read(folder: RunFolder) -> tuple[list[tuple[str, str | None, int]], Balance]:
    with duckdb.connect() as connection:
        balance = resolve(connection, folder)
        rows = connection.execute(
            "select outcome, reason, attempts from resolved order by row"
        ).fetchall()
    return rows, balance


def test_a_run_that_wrote_nothing_is_skipped_whole(folder: RunFolder) -> None:
    rows, balance = read(folder)
    assert rows == [("skipped", "interrupted", 0)] * 6
    assert (balance.is_balanced, balance.unnamed) == (True, 6)


def test_an_attempt_without_an_outcome_is_unknown(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        first = journal.intend([0, 1])
        journal.settle(first, outcome="accepted", rows=[0, 1])
        journal.intend([2, 3])
    rows, balance = read(folder)
    assert [row[0] for row in rows] == ["accepted"] * 2 + ["unknown"] * 2 + ["skipped"] * 2
    assert balance.unnamed == 2


def test_the_best_that_is_known_of_a_row_stands(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        first = journal.intend([0, 1, 2, 3])
        journal.settle(first, outcome="unknown", rows=[0, 1, 2, 3], reason="no reply")
        second = journal.intend([0, 1, 2])
        journal.settle(
            second, outcome="accepted", rows=[0], exceptions=[Exceptional(1, "rejected", "bad")]
        )
        journal.settle(journal.intend([2]), outcome="skipped", rows=[2], reason="429")
        journal.note([Exceptional(4, "rejected", "rule")])
        journal.rest("guard size")
    rows, balance = read(folder)
    assert rows == [
        ("accepted", None, 2),
        ("rejected", "bad", 2),
        ("unknown", "no reply", 3),
        ("unknown", "no reply", 1),
        ("rejected", "rule", 0),
        ("skipped", "guard size", 0),
    ]
    assert (balance.is_balanced, balance.unnamed) == (True, 0)


RANKED = ("accepted", "rejected", "unknown", "skipped")
NUMBERS = st.sets(st.integers(0, 5))


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(NUMBERS, st.none() | st.sampled_from(RANKED), NUMBERS), max_size=7))
def test_every_row_has_the_best_that_any_line_says_of_it(
    tmp_path_factory: pytest.TempPathFactory,
    attempts: list[tuple[set[int], Outcome | None, set[int]]],
) -> None:
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    write_plan(folder.plan, [SUBJECTS[0].change(n) for n in range(6)])
    said: dict[int, list[str]] = {row: [] for row in range(6)}
    tried = Counter[int]()
    with Journal(folder) as journal:
        for rows, outcome, odd in attempts:
            number = journal.intend(sorted(rows))
            tried.update(rows)
            named = dict.fromkeys(odd, "rejected") if outcome else {}
            for row in rows | named.keys():
                said[row].append(named.get(row, outcome or "unknown"))
            if outcome is not None:
                exceptions = [Exceptional(row, "rejected", "odd") for row in sorted(odd)]
                kept = sorted(rows - odd)
                journal.settle(number, outcome=outcome, rows=kept, exceptions=exceptions)
    found, balance = read(folder)
    best = [min(said[row] or ["skipped"], key=RANKED.index) for row in range(6)]
    assert [(row[0], row[2]) for row in found] == [(best[n], tried[n]) for n in range(6)]
    counted = (balance.accepted, balance.rejected, balance.unknown, balance.skipped)
    assert counted == tuple(best.count(outcome) for outcome in RANKED)
    assert balance.unnamed == sum(not said[row] for row in range(6))
    both = sum({"accepted", "rejected"} <= set(said[row]) for row in range(6))
    assert balance.contradicted == both


def test_a_torn_last_line_says_nothing(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        journal.settle(journal.intend([0]), outcome="accepted", rows=[0])
    with folder.outcomes.open("ab") as file:
        file.write(b'{"kind":"outcome","attempt":')
    assert [row[0] for row in read(folder)[0]] == ["accepted"] + ["skipped"] * 5


def test_rows_of_no_plan_do_not_balance(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        journal.settle(journal.intend([5, 6]), outcome="accepted", rows=[5, 6])
    assert not read(folder)[1].is_balanced


def test_a_row_taken_and_refused_does_not_balance(folder: RunFolder) -> None:
    with Journal(folder) as journal:
        journal.settle(journal.intend([0]), outcome="accepted", rows=[0])
        journal.settle(journal.intend([0]), outcome="rejected", rows=[0], reason="bad")
    assert not read(folder)[1].is_balanced


@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_exactly_their_rows(rows: set[int]) -> None:
    spans = ranges(sorted(rows))
    assert [n for first, last in spans for n in range(first, last + 1)] == sorted(rows)
    assert all(b[0] > a[1] + 1 for a, b in itertools.pairwise(spans))


def test_runs_sort_as_they_started_even_if_the_clock_goes_back(world: World) -> None:
    names = [
        new_run(world.home, "s", now=NOW + timedelta(seconds=offset)).path.name
        for offset in (0, 5, -3600, 5)
    ]
    assert names == sorted(names)
    assert len(set(names)) == 4
