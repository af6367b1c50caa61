"""Runs that end while another is being landed are landed together."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from reverse_etl import landing
from reverse_etl.landing import Landing
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Collection

    from warehouse.home import Home


class Loads:
    """Loads that begin when they are told to, and what each was to take."""

    def __init__(self) -> None:
        self.taken: list[set[str]] = []
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)
        self.error: CioError | None = None

    def load(self, home: Home, *, held: Collection[str]) -> list[str]:
        """Stands for `land_journals`."""
        del home
        self.taken.append(set(held))
        self.begun.release()
        assert self.may_end.acquire(timeout=30)
        if self.error is not None:
            raise self.error
        return []


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    loads = Loads()
    monkeypatch.setattr(landing, "land_journals", loads.load)
    return loads


def waiting(together: Landing, pool: ThreadPoolExecutor, *syncs: str) -> list[Future[None]]:
    """Syncs that ended, once all of them wait for the load after the one under way."""
    futures = [pool.submit(together.land, sync) for sync in syncs]
    while together.waiting != set(syncs):
        assert not any(future.done() for future in futures)
    return futures


def test_who_comes_while_a_load_is_under_way_shares_the_next(home: Home, loads: Loads) -> None:
    together = Landing(home)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(together.land, "first")
        assert loads.begun.acquire(timeout=30)
        others = waiting(together, pool, "second", "third")
        loads.may_end.release(2)
        assert [future.result(timeout=30) for future in (first, *others)] == [None] * 3
    assert loads.taken == [{"first"}, {"second", "third"}]


def test_a_load_that_fails_fails_for_everybody_in_it(home: Home, loads: Loads) -> None:
    together = Landing(home)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(together.land, "first")
        assert loads.begun.acquire(timeout=30)
        others = waiting(together, pool, "second", "third")
        loads.may_end.release()
        assert first.result(timeout=30) is None
        loads.error = CioError("the disk is full")
        loads.may_end.release()
        for future in others:
            with pytest.raises(CioError, match="the disk is full"):
                future.result(timeout=30)
        # and a later one begins anew
        loads.error = None
        loads.may_end.release()
        together.land("first")
    assert loads.taken == [{"first"}, {"second", "third"}, {"first"}]
