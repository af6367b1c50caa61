"""A copy of the warehouse to try things in: nobody waits for it, and nothing of it stays."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from warehouse.errors import CioError
from warehouse.home import Home
from warehouse.opening import open_warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PREFIX = "scratch-"


@contextmanager
def scratch_home(
    home: Home, *, purpose: str, on_wait: Callable[[str], None] | None = None
) -> Iterator[Home]:
    """A home of its own with a copy of the warehouse, removed afterwards.

    The copy is made while nobody writes, and takes as much room as the warehouse. What a killed
    process left behind is removed by the next.

    Args:
        home: The home to copy from.
        purpose: What for, in words; who waits is told.
        on_wait: Told once, in one sentence, who is being waited for.

    Yields:
        The copy's home, inside the first, for this user alone.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        CioError: There is no warehouse, or no room for a copy.
    """
    if not home.warehouse.exists():
        message = f"there is no warehouse in {home.root}. Load and build first: `cio build`."
        raise CioError(message)
    _remove_leftovers(home)
    copy = Home(home.root / f"{_PREFIX}{os.getpid()}")
    try:
        _copy(home, copy, purpose, on_wait)
        yield copy
    finally:
        shutil.rmtree(copy.root, ignore_errors=True)


def _copy(home: Home, copy: Home, purpose: str, on_wait: Callable[[str], None] | None) -> None:
    try:
        copy.root.mkdir(mode=0o700)
        with open_warehouse(home, purpose=purpose, on_wait=on_wait) as connection:
            connection.execute("checkpoint")
            shutil.copyfile(home.warehouse, copy.warehouse)
    except OSError as error:
        message = f"cannot copy the warehouse to {copy.root}: {error.strerror}. Make room there."
        raise CioError(message) from error


def _remove_leftovers(home: Home) -> None:
    for left in home.root.glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX)
        if not pid.isdigit() or not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid != os.getpid()
