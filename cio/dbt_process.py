"""One dbt command, for a process of its own: how far it is and what went wrong, a JSON line each.

dbt's own log writes every event out before it asks whether anybody wants it, which takes a tenth of
a build of small tables; here the few that are wanted are.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from typing import TYPE_CHECKING, Any

from dbt.cli.main import dbtRunner

from cio.dbt_release import keep_shortcuts, take_known_shortcuts

if TYPE_CHECKING:
    from collections.abc import Sequence


class Teller:
    """Writes lines for `cio.dbt`, from whichever thread of dbt's."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self.has_erred = False
        self._lock = threading.Lock()

    def take(self, event: Any) -> None:  # noqa: ANN401 - a message of dbt's, whose type is made at run time
        """Tell of an event, if it is an error or the end of a node."""
        if event.info.name == "FoundStats":
            _leave_manifest_alone()
        elif event.info.level == "error":
            self.err(event.info.msg)
        elif getattr(event.data, "execution_time", None) is not None:
            total = getattr(event.data, "total", 0) or getattr(event.data, "num_models", 0)
            if total:
                node = event.data.node_info.node_name
                self._write({"done": event.data.index, "total": total, "node": node})

    def err(self, text: str) -> None:
        """Tell what went wrong."""
        if text.strip():
            self.has_erred = True
            self._write({"error": text.strip()})

    def _write(self, line: dict[str, Any]) -> None:
        with self._lock:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


def _leave_manifest_alone() -> None:
    """What is parsed stays to the end: no collection of garbage is to walk a million objects."""
    gc.freeze()
    gc.enable()


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code, 0 if all of it succeeded."""
    take_known_shortcuts()
    gc.disable()  # there is no garbage while dbt parses
    teller = Teller()
    outcome = dbtRunner(callbacks=[teller.take]).invoke(
        ["--log-level", "none", "--log-level-file", "none", *arguments]
    )
    keep_shortcuts()
    if outcome.exception is not None and not teller.has_erred:
        teller.err(str(outcome.exception))
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
