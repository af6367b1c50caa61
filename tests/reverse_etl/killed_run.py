"""A process that runs syncs and kills itself (SIGKILL) the nth time it comes to a point.

`python -m tests.reverse_etl.killed_run POINT N HOME MANIFEST`
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reverse_etl import landing, record, sync_run
from reverse_etl.journal import Journal, RunFolder
from reverse_etl.run import Room, run_syncs
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

_LOCK = threading.Lock()
_LEFT = [0]


def die(function: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The function, with death before or after its nth call."""

    def wrapped(*arguments: object, **options: object) -> object:
        result = function(*arguments, **options) if after else None
        with _LOCK:
            _LEFT[0] -= 1
            if _LEFT[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return result if after else function(*arguments, **options)

    return wrapped


def main(point: str, nth: int, home: Path, manifest: Path) -> None:
    _LEFT[0] = nth
    targets: dict[str, tuple[Any, str, bool]] = {
        "before the plan is on disk": (RunFolder, "write_record", False),
        "before an intent": (Journal, "intend", False),
        "between intent and sending": (Journal, "intend", True),
        "between reply and outcome": (Journal, "settle", False),
        "after an outcome": (Journal, "settle", True),
        "after delivery": (sync_run, "resolve", False),
        "during landing": (record, "_run_row", False),
        "after landing": (landing, "land_journals", True),
    }
    if point in targets:
        owner, name, after = targets[point]
        setattr(owner, name, die(getattr(owner, name), after=after))
    run_syncs(Room(Home(home), manifest))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]))
