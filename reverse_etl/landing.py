"""Landing the runs that end while another is being landed together, in one load."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from reverse_etl.record import land_journals

if TYPE_CHECKING:
    from warehouse.home import Home


class Landing:
    """The landings of syncs that run at once in this process.

    A load costs more than most runs have to say. Whoever comes while one is under way waits for
    the next, and that one takes the journals of everybody who waits.
    """

    def __init__(self, home: Home) -> None:
        """Nobody waits yet."""
        self._home = home
        self._next = _Load()
        self._choosing = threading.Lock()
        self._loading = threading.Lock()

    @property
    def waiting(self) -> set[str]:
        """The syncs that wait for the load after the one under way."""
        with self._choosing:
            return set(self._next.syncs)

    def land(self, sync: str) -> None:
        """Return once the journals of a sync, which the caller holds, are in the warehouse.

        Raises:
            WarehouseBusy: Another process kept the warehouse.
            CioError: The load failed; nothing of it counts.
        """
        with self._choosing:
            load = self._next
            is_first = not load.syncs
            load.syncs.add(sync)
        if is_first:
            with self._loading:
                with self._choosing:
                    self._next = _Load()
                try:
                    land_journals(self._home, held=load.syncs)
                except BaseException as error:
                    load.landed.set_exception(error)
                    raise
                load.landed.set_result(None)
        load.landed.result()


class _Load:
    """One load, and the syncs whose journals it is to take."""

    def __init__(self) -> None:
        self.syncs: set[str] = set()
        self.landed: Future[None] = Future()
