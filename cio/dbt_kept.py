"""What dbt works out of texts that stay as they are, kept for the processes that come.

Of each template the code, and of each of dbt's classes the schema of its JSON.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MAKERS = ("dbt-core", "dbt-common", "dbt-adapters", "dbt-duckdb", "jinja2", "mashumaro")
_FOLDER = Path(__file__).resolve().parent.parent / "target"
_MOST = 20_000
"""Beyond so many, what was not asked for by the process that keeps them is left out."""


@dataclass
class Kept:
    """Values by what they are made of.

    Attributes:
        path: The file they are kept in.
    """

    path: Path
    _known: dict[Hashable, Any] = field(default_factory=dict)
    _asked: dict[Hashable, Any] = field(default_factory=dict)
    _is_read: bool = False

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - code or a schema
        """The value of a key, made if nobody did before.

        Args:
            key: All that the value depends on, but for the releases installed.
            make: Makes it.
        """
        if key not in self._asked:
            self._read()
            self._asked[key] = self._known[key] if key in self._known else make()
        return self._asked[key]

    def write(self) -> None:
        """Keep what this process made, where the folder can be written."""
        if self._asked.keys() <= self._known.keys():
            return
        self._known |= self._asked
        if len(self._known) > _MOST:
            self._known = dict(self._asked)
        try:
            content = marshal.dumps(self._known)
            self.path.parent.mkdir(exist_ok=True)
            own = self.path.with_suffix(f".{os.getpid()}")
            own.write_bytes(content)
            own.replace(self.path)
        except (OSError, ValueError):
            # a folder of somebody else's, or a value that is no plain one: nothing is kept
            return

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        try:
            # as much to be trusted as the code that Python keeps beside its sources
            found = marshal.loads(self.path.read_bytes())  # noqa: S302 - as said
        except (OSError, EOFError, ValueError, TypeError):
            return
        if isinstance(found, dict):
            self._known = found


def in_project() -> Kept:
    """What is kept in the project's folder for the releases installed."""
    of = [sys.version, *(f"{name} {version(name)}" for name in _MAKERS)]
    digest = hashlib.sha256("\n".join(of).encode()).hexdigest()[:12]
    return Kept(_FOLDER / f"dbt-{digest}.kept")
